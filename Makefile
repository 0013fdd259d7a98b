# `make test` is the one test command: it needs nothing but cargo.
# One profile for everything: the tests run real networks, for which a debug build is too slow.
# `make test-long` takes more jobs for the queueing oracles: a minute more.
.PHONY: test test-long bench lint quickstart

test:
	cargo test --release

test-long:
	cargo test --release -- --include-ignored

bench:
	cargo bench

lint:
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

quickstart:
	cargo run --release -- run experiments/quickstart.toml
