//! The clients, and how each one's checks are run.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::install::Tools;

/// One client's checks.
pub(super) struct Suite {
    pub(super) name: &'static str,
    /// Settings of the gateway beside the common ones.
    pub(super) settings: &'static [(&'static str, &'static str)],
    pub(super) limit: Duration,
    pub(super) command: fn(&Tools, &Path) -> Command,
}

/// Anthropic's side first, `OpenAI`'s and those of both after it; then keys, limits, the ledger and management. `demo` has no entry here: it brings its own gateway.
pub(super) const SUITES: &[Suite] = &[
    Suite {
        name: "raw",
        settings: &[],
        limit: Duration::from_secs(90),
        command: |tools, root| script(&tools.python, root, "e2e/python/raw.py"),
    },
    Suite {
        name: "aws-client",
        settings: &[],
        limit: Duration::from_mins(1),
        command: |tools, root| script(&tools.node, root, "crates/simulator/tests/aws-client/check.mjs"),
    },
    Suite {
        name: "python",
        settings: &[],
        limit: Duration::from_mins(2),
        command: |tools, root| script(&tools.python, root, "e2e/python/sdk.py"),
    },
    Suite {
        name: "node",
        settings: &[],
        limit: Duration::from_mins(2),
        command: |tools, root| script(&tools.node, root, "e2e/node/sdk.mjs"),
    },
    Suite {
        name: "claude",
        settings: ANY_MODEL,
        limit: Duration::from_mins(4),
        command: |tools, root| script(&tools.python, root, "e2e/python/claude.py"),
    },
    Suite {
        name: "raw-openai",
        settings: &[],
        limit: Duration::from_secs(90),
        command: |tools, root| script(&tools.python, root, "e2e/python/raw_openai.py"),
    },
    Suite {
        name: "openai-python",
        settings: &[],
        limit: Duration::from_mins(2),
        command: |tools, root| script(&tools.agents, root, "e2e/python/openai_sdk.py"),
    },
    Suite {
        name: "openai-node",
        settings: &[],
        limit: Duration::from_mins(2),
        command: |tools, root| script(&tools.node, root, "e2e/node/openai.mjs"),
    },
    Suite {
        name: "ai-sdk",
        settings: ANY_MODEL,
        limit: Duration::from_mins(2),
        command: |tools, root| script(&tools.node, root, "e2e/node/ai.mjs"),
    },
    Suite {
        name: "frameworks",
        settings: ANY_MODEL,
        limit: Duration::from_mins(2),
        command: |tools, root| script(&tools.agents, root, "e2e/python/frameworks.py"),
    },
    Suite {
        name: "litellm",
        settings: ANY_MODEL,
        limit: Duration::from_mins(2),
        command: |tools, root| script(&tools.litellm, root, "e2e/python/by_litellm.py"),
    },
    Suite {
        name: "aider",
        settings: ANY_MODEL,
        limit: Duration::from_mins(2),
        command: |tools, root| script(&tools.aider, root, "e2e/python/by_aider.py"),
    },
    Suite {
        name: "codex",
        settings: ANY_MODEL,
        limit: Duration::from_mins(3),
        command: |tools, root| script(&tools.python, root, "e2e/python/codex.py"),
    },
    Suite {
        name: "opencode",
        settings: ANY_MODEL,
        limit: Duration::from_mins(3),
        command: |tools, root| script(&tools.python, root, "e2e/python/opencode.py"),
    },
    Suite {
        name: "seeds",
        settings: &[("QM_HEALTH_COUNTS", "everybody")],
        limit: Duration::from_secs(90),
        command: |tools, root| script(&tools.python, root, "e2e/python/seeds.py"),
    },
    Suite {
        name: "doors",
        settings: &[],
        limit: Duration::from_secs(90),
        command: |tools, root| script(&tools.python, root, "e2e/python/doors.py"),
    },
    Suite {
        name: "limits",
        settings: &[],
        limit: Duration::from_mins(2),
        command: |tools, root| script(&tools.agents, root, "e2e/python/limits.py"),
    },
    Suite {
        name: "books",
        settings: &[],
        limit: Duration::from_mins(3),
        command: |tools, root| script(&tools.python, root, "e2e/python/books.py"),
    },
    Suite {
        name: "durability",
        settings: &[],
        limit: Duration::from_mins(2),
        command: |tools, root| script(&tools.python, root, "e2e/python/durability.py"),
    },
    Suite {
        name: "openapi",
        settings: &[("QM_TRUSTED_PROXIES", "127.0.0.1")],
        limit: Duration::from_mins(3),
        command: |tools, root| script(&tools.schemathesis, root, "e2e/python/openapi.py"),
    },
];

/// Any model's name is answered: clients ask for models of their own, in side requests too.
const ANY_MODEL: &[(&str, &str)] = &[("QM_DEFAULT_MODEL", "claude-sonnet-4.5")];

fn script(interpreter: &Path, root: &Path, path: &str) -> Command {
    let mut command = Command::new(interpreter);
    command.arg(root.join(path));
    command
}
