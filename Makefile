# `make test` is the one test command: it needs cargo, and for the libtorch of the feature `train` python3 with pip or
# LIBTORCH (.ci/libtorch), and python3 with venv for the test of Python's readers (.ci/python) and for those of the Python
# package (.ci/package). `cargo test --release` tests everything but these and needs neither.
# One profile for everything: the tests run real networks, for which a debug build is too slow.
# `make test-long` takes more jobs for the queueing oracles, 10,000 random runs and 10,000 optima: minutes more.
.PHONY: test test-long bench lint quickstart fuzz

WITH_LIBTORCH = libtorch=$$(.ci/libtorch) && LIBTORCH=$$libtorch
WITH_PYTHON = python=$$(.ci/python) && export MASCOT_PYTHON=$$python &&

test:
	$(WITH_PYTHON) $(WITH_LIBTORCH) cargo test --release --features train
	.ci/package

test-long:
	$(WITH_PYTHON) $(WITH_LIBTORCH) cargo test --release --features train -- --include-ignored

bench:
	cargo bench

lint:
	cargo fmt --all --check
	cargo clippy --release --all-targets -- -D warnings
	cargo clippy --release -p mascot-python -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --release --no-deps
	$(WITH_LIBTORCH) cargo clippy --release --all-targets --features train -- -D warnings

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
