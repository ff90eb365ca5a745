//! Reading a Chat Completions request.
