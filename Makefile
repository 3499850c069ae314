# Everything one can do here; `make help` lists it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
# The parts that a running system is made of, beside the shop's own.
PARTS := -p nexpura-relay -p nexpura-agent -p nexpura-php
# Backtraces of every error make tests slow and their output long; set it to 1 where one is wanted.
export RUST_BACKTRACE ?= 0

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

.PHONY: packages
packages: ## Install the Debian or Ubuntu packages that are missing
	@scripts/install-packages

.PHONY: build
build: packages ## Build everything, for development
	$(CARGO) build --workspace

.PHONY: demo
demo: packages ## Show a sale travel from a WooCommerce checkout into the ledger; DEMO_ONCE=1 checks itself and ends
	$(CARGO) build $(PARTS) -p nexpura-tests
	@target/debug/nexpura-demo

.PHONY: test
test: packages fmt lint php unit stories ## Check and test everything

.PHONY: fmt
fmt: ## Check the formatting of the Rust code
	$(CARGO) fmt --all --check

.PHONY: lint
lint: ## Lint the Rust code; check licences and dependencies where cargo-deny is installed
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	@if command -v cargo-deny >/dev/null; then $(MAKE) --no-print-directory deny; \
	else echo "cargo-deny is not installed: licences and dependencies are not checked (make deny says how)"; fi

.PHONY: deny
deny: ## Check licences, sources and banned dependencies
	@command -v cargo-deny >/dev/null || { echo "first: cargo install --locked cargo-deny"; exit 1; }
	$(CARGO) deny check licenses bans sources

.PHONY: php
php: packages ## Check the PHP code, the plugin's standards and its texts, and run its tests
	@find wp-plugin tests -name '*.php' -print0 | xargs -0 -n1 -P2 php -l | { grep -v '^No syntax errors' || true; }
	@scripts/check-plugin
	@scripts/make-pot --check
	@for test in tests/php/*.php; do [[ -e $$test ]] || continue; echo "php $$test"; php "$$test"; done

.PHONY: unit
unit: packages ## Run the tests of each crate
	$(CARGO) test --workspace --exclude nexpura-tests

.PHONY: stories
stories: packages ## Run the end-to-end stories on real parts
	$(CARGO) build $(PARTS)
	@CARGO="$(CARGO)" scripts/tell-stories

.PHONY: soak
soak: packages ## Run the long campaigns, NEXPURA_SOAK_SECONDS says how long each; then a ledger of ten million movements
	$(CARGO) build --release $(PARTS)
	$(CARGO) test --release -p nexpura-tests -- --ignored --test-threads=1 --nocapture
	NEXPURA_BENCH_MOVEMENTS=10000000 $(CARGO) bench -p nexpura-tests --bench backlog --bench pages

.PHONY: bench
bench: packages ## Measure what Nexpura adds to a checkout and how long a sale travels; a catalogue both ways; a backlog; the pages
	$(CARGO) build --release $(PARTS)
	$(CARGO) bench -p nexpura-tests

.PHONY: dist
dist: packages ## Build what is installed on servers: relay, agent, nexpura.so and the plugin's zip
	$(CARGO) build --release $(PARTS)
	@mkdir -p dist
	@target/release/nexpura-relay plugin dist/nexpura.zip
	@ls -l target/release/nexpura-relay target/release/nexpura-agent target/release/libnexpura.so dist/nexpura.zip

.PHONY: clean
clean: ## Remove everything that was built
	$(CARGO) clean
	rm -rf dist
