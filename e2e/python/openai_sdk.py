"""The Python SDK of OpenAI (openai): Chat Completions and Responses."""

import openai_chat  # noqa: F401  registers its checks
import openai_faults  # noqa: F401  registers its checks
import openai_responses  # noqa: F401  registers its checks
from harness import main

main()
