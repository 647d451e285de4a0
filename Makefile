# `make help` lists the targets. Everything that is installed goes into .venv, everything that runs leaves its traces in .local.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

FUNCTIONS := mailchimp webhook algolia portabilling discovery changes waker ingest
TOOLS := .venv/tools/bin
DENY_VERSION := 0.20.2
FUZZ_VERSION := 0.13.2

# Processor the functions are built for: this machine's for local runs, `ARCH=arm64` for the template's default.
ARCH ?= $(subst aarch64,arm64,$(shell uname -m))
# `SHIP=1` builds with the workspace's release profile. Local loops skip link-time optimisation: minutes become seconds.
SHIP ?=
QUICK := $(if $(SHIP),,CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16)
# `ENDPOINT=http://localhost:4566` uses an emulator that already runs instead of starting one.
ENDPOINT ?=
# Where the functions reach the sandbox if not on this machine's loopback: `SANDBOX_HOST=host.docker.internal`.
SANDBOX_HOST ?=
LOCAL = cargo build -p vendorbridge-testkit --bin local && target/debug/local
# How long `make fuzz` runs once it is built.
FUZZ_SECONDS ?= 60
FLAGS = $(if $(ENDPOINT),--endpoint $(ENDPOINT)) $(if $(SANDBOX_HOST),--sandbox-host $(SANDBOX_HOST))

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/cloud/.installed .venv/tools/.installed .venv/contract/.installed ## install what the project needs into .venv (once, about two minutes)

# The console's tests run in a real browser. It comes with the system, not with a project; without it they fail and say so.
.PHONY: browser
browser:
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "==> installing chromium and chromedriver for the console's tests"; \
		{ apt-get update -qq || true; } && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium chromium-driver >/dev/null && exit 0; \
	fi; \
	echo "note: the console's tests need chromium and chromedriver: on Debian, sudo apt-get install chromium chromium-driver" >&2

.PHONY: build
build: setup ## build the functions into target/lambda (ARCH=x86_64|arm64, SHIP=1 as for a real deployment)
	@case "$(ARCH)" in x86_64|arm64) ;; *) echo "ARCH is x86_64 or arm64, not $(ARCH)." >&2; exit 1;; esac
	@echo "==> building $(FUNCTIONS) for $(ARCH)$(if $(SHIP), as shipped) (the first time takes minutes)"
	@# From the tools' environment comes zig, which cargo-lambda links with.
	@PATH="$(CURDIR)/$(TOOLS):$$PATH" $(QUICK) cargo lambda build --release --$(subst _,-,$(ARCH)) \
		--lambda-dir target/lambda $(addprefix --package ,$(FUNCTIONS))

.PHONY: demo
demo: setup build ## deploy to a local cloud, publish sample events, show what happened to each (ENDPOINT=… to use another)
	@$(LOCAL) demo $(FLAGS)

.PHONY: up
up: setup build ## the same, and stay up until Ctrl-C
	@cargo build -p vendorbridge-cli
	@$(LOCAL) up $(FLAGS)

.PHONY: test
test: setup build browser ## all tests: Rust, the functions behind a local cloud, the template, the local cloud itself
	@# Builds the command, too, which the end-to-end tests call: its own tests do.
	@echo "==> Rust tests"
	@cargo test --workspace
	@echo "==> tests of the template"
	@$(TOOLS)/python -B -m unittest discover -s infra/tests
	@echo "==> tests of the local cloud"
	@.venv/cloud/bin/python -B -m unittest discover -s infra/local/tests

.PHONY: simulate
simulate: ## the engine in a simulated world: SEED=n replays one run, SEEDS=n searches, KIND=Booking has vendors of one kind, DAY=1 plays a day at 50 events a second
	@cargo build --quiet -p vendorbridge-testkit --bin simulate
	@target/debug/simulate $(if $(SEED),--seed $(SEED),$(if $(DAY),--day,$(if $(SEEDS),--seeds $(SEEDS)))) $(if $(KIND),--kind $(KIND))

# No nightly toolchain: without a sanitizer, which only unsafe code needs, stable Rust has all that libFuzzer asks for.
# What is found on the way stays in fuzz/corpus for the next run; a crash is in fuzz/artifacts, and the output says how to
# repeat it.
.PHONY: fuzz
fuzz: cargo-fuzz ## feed mutated messages to the envelope parser for a minute (FUZZ_SECONDS=60; the first build takes minutes)
	@mkdir -p fuzz/corpus/envelope
	@PATH="$(CURDIR)/.venv/cargo/bin:$$PATH" cargo fuzz run --sanitizer none envelope \
		fuzz/corpus/envelope fuzz/seeds/envelope events -- \
		-dict=fuzz/envelope.dict -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 2>&1 \
		| grep --line-buffered -vE '^(#[0-9]+\s+(NEW|REDUCE)|\s+NEW_FUNC)'

.PHONY: check
check: .venv/tools/.installed cargo-deny ## formatting, lints, documentation, licences, template
	@echo "==> rustfmt"
	@cargo fmt --all --check
	@cargo fmt --manifest-path fuzz/Cargo.toml --check
	@echo "==> clippy"
	@cargo clippy --workspace --all-targets -- -D warnings
	@echo "==> cargo doc"
	@RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps
	@echo "==> cargo deny"
	@PATH="$(CURDIR)/.venv/cargo/bin:$$PATH" cargo deny check licenses bans sources
	@echo "==> cfn-lint, sam validate"
	@$(TOOLS)/cfn-lint template.yaml
	@AWS_REGION=us-east-1 SAM_CLI_TELEMETRY=0 SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS=1 \
		$(TOOLS)/sam validate --lint --template template.yaml

.PHONY: fmt
fmt: ## format the Rust sources
	@cargo fmt --all
	@cargo fmt --manifest-path fuzz/Cargo.toml

.PHONY: clean-local
clean-local: ## remove what setup installed and what local runs left (.venv, .local)
	@rm -rf .local .venv

.venv/%/.installed: infra/local/requirements-%.txt | prerequisites
	@echo "==> installing into .venv/$*: $$(grep -v '^#' $< | tr '\n' ' ')"
	@python3 -m venv .venv/$*
	@.venv/$*/bin/python -m pip install --quiet --disable-pip-version-check --no-input --requirement $<
	@touch $@

# Whichever cargo-deny is found first, on the PATH or installed before, serves if it is the right version.
# An unoptimised build is done soonest and still checks this workspace in three seconds.
.PHONY: cargo-deny
cargo-deny: | prerequisites
	@if ! PATH="$(CURDIR)/.venv/cargo/bin:$$PATH" cargo deny --version 2>/dev/null | grep -qx "cargo-deny $(DENY_VERSION)"; then \
		echo "==> installing cargo-deny $(DENY_VERSION) into .venv/cargo (once, one to two minutes)"; \
		cargo install cargo-deny --version $(DENY_VERSION) --locked --profile dev --root .venv/cargo --quiet; \
	fi

.PHONY: cargo-fuzz
cargo-fuzz: | prerequisites
	@if ! PATH="$(CURDIR)/.venv/cargo/bin:$$PATH" cargo fuzz --version 2>/dev/null | grep -qx "cargo-fuzz $(FUZZ_VERSION)"; then \
		echo "==> installing cargo-fuzz $(FUZZ_VERSION) into .venv/cargo (once, about a minute)"; \
		cargo install cargo-fuzz --version $(FUZZ_VERSION) --locked --profile dev --root .venv/cargo --quiet; \
	fi

.PHONY: prerequisites
prerequisites:
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust, see https://rustup.rs" >&2; exit 1; }
	@command -v python3 >/dev/null || { echo "python3 is missing: install Python 3.10 or newer" >&2; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "python3 does not run or is older than 3.10: install Python 3.10 or newer" >&2; exit 1; }
	@python3 -c 'import venv, ensurepip' 2>/dev/null \
		|| { echo "python3 has no venv module: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }
