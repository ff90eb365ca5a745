# The table of contents of everything one can do here. The work itself is in xtask/.

# This list.
default:
    @just --list --unsorted

# The gateway before a built-in simulated upstream: nothing to configure.
demo *args:
    cargo run --release -- demo {{args}}

# Everything that must hold before a change is accepted.
test *args:
    cargo xtask test {{args}}

# The rules of the house: rooms, sizes, names, licences.
tidy:
    cargo xtask tidy

# Formatting, in place.
fmt:
    cargo fmt --all

# The end-to-end tests with real clients.
e2e *args:
    cargo xtask e2e {{args}}

# Every fuzz target for a while.
fuzz *args:
    cargo xtask fuzz {{args}}

# CPU, delay and memory against nginx before the same simulator.
bench *args:
    cargo xtask bench {{args}}

# cargo-deny, where it is installed.
deny:
    cargo xtask deny
