# What a person types. `make demo` and `make test` work on a fresh Debian 12 with a Rust toolchain.

BINARY := target/release/splitbrain

.PHONY: demo build test style unit whole attached bugs bench fuzz clean

demo: build
	$(BINARY) demo

build:
	scripts/install-dependencies run
	cargo build --release --locked

# Everything: style, unit tests, oracles, whole programs, attached clusters, seeded bugs, real databases.
test:
	scripts/install-dependencies test
	$(MAKE) style unit whole attached bugs

style:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --release --locked -- -D warnings

unit:
	cargo test --workspace --release --locked --lib --bins --examples
	cargo test --workspace --release --locked --doc

# Whole programs share two cores with the clusters that they run: one at a time.
whole:
	cargo test --workspace --release --locked --no-fail-fast --test '*' -- --test-threads=1 \
		--skip bugs:: --skip leaves:: --skip verdicts:: --skip worlds::

# Clusters that run already, in network namespaces that the tests make: that takes root.
AS_ROOT := $(if $(filter 0,$(shell id -u)),env,sudo -E)

attached:
	cargo test --release --locked --test attached --config "target.'cfg(all())'.runner='$(AS_ROOT)'" \
		-- --test-threads=1

# Every seeded bug of the reference cluster, and the same runs without it.
bugs:
	cargo test --release --locked --test whole -- --test-threads=1 bugs::

bench:
	cargo bench --workspace --locked

# The readers of histories on bytes that nobody thought of, five minutes each. The compiler's
# instrumentation is not for stable yet, and is asked for in spite of that. The corpus grows in
# fuzz/corpus, from the recorded histories.
FUZZ_SECONDS := 300
FUZZ := RUSTC_BOOTSTRAP=1 cargo fuzz run
FUZZ_LIMITS := -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10

fuzz:
	cargo fuzz --version || cargo install cargo-fuzz --locked
	mkdir -p fuzz/corpus/read fuzz/corpus/fast_line
	$(FUZZ) read fuzz/corpus/read fuzz/seeds checkers/testdata -- $(FUZZ_LIMITS)
	$(FUZZ) fast_line fuzz/corpus/fast_line fuzz/seeds -- $(FUZZ_LIMITS)

clean:
	cargo clean
