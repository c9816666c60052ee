# What a person types. `make demo` and `make test` work on a fresh Debian 12 with a Rust toolchain.

BINARY := target/release/splitbrain

.PHONY: demo build test style unit whole bugs bench clean

demo: build
	$(BINARY) demo

build:
	scripts/install-dependencies run
	cargo build --release --locked

# Everything: style, unit tests, oracles, whole programs, seeded bugs, real databases.
test:
	scripts/install-dependencies test
	$(MAKE) style unit whole bugs

style:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --release --locked -- -D warnings

unit:
	cargo test --workspace --release --locked --lib --bins --examples
	cargo test --workspace --release --locked --doc

# Whole programs share two cores with the clusters that they run: one at a time.
whole:
	cargo test --workspace --release --locked --test '*' -- --test-threads=1 --skip bugs::

# Every seeded bug of the reference cluster, and the same runs without it.
bugs:
	cargo test --release --locked --test whole -- --test-threads=1 bugs::

bench:
	cargo bench --workspace --locked

clean:
	cargo clean
