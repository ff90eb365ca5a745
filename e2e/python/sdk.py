"""The Python SDK (anthropic) against the gateway."""

import sdk_answers  # noqa: F401  registers its checks
import sdk_faults  # noqa: F401  registers its checks
import sdk_formats  # noqa: F401  registers its checks
from harness import main

main()
