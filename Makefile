# `make test` is the one test command: it needs nothing but cargo.
# One profile for everything: the tests run real networks, for which a debug build is too slow.
# `make test-long` takes more jobs for the queueing oracles, 10,000 random runs and 10,000 optima: minutes more.
.PHONY: test test-long bench lint quickstart fuzz

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

# One target of tests/fuzz for some time, from the files below SEEDS; see tests/fuzz/README.md.
TARGET = onnx
SEEDS = tests/data/onnx
DURATION = 600
FUZZ = $${CARGO_TARGET_DIR:-target}/fuzz
fuzz:
	mkdir -p "$(FUZZ)/corpus/$(TARGET)" "$(FUZZ)/artifacts"
	CARGO_TARGET_DIR="$(FUZZ)" cargo +nightly fuzz run --fuzz-dir tests/fuzz --sanitizer none -O $(TARGET) \
		"$(FUZZ)/corpus/$(TARGET)" $(SEEDS) -- -max_len=8192 -rss_limit_mb=2048 -timeout=20 \
		-max_total_time=$(DURATION) -artifact_prefix="$(FUZZ)/artifacts/"
