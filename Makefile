# Builds, installs, tests and shows kmpkit. `make help` lists the targets.

CARGO ?= cargo
RPM ?= rpm
DESTDIR ?=

# Where rpm looks; the defaults are those of rpm itself.
RPMCONFIGDIR ?= $(or $(shell $(RPM) --eval '%{_rpmconfigdir}' 2> /dev/null),/usr/lib/rpm)
MANDIR ?= /usr/share/man
DOCDIR ?= /usr/share/doc/kmpkit
DATADIR ?= /usr/share/kmpkit
BINDIR ?= /usr/bin
SBINDIR ?= /usr/sbin
BASHDIR ?= /usr/share/bash-completion/completions
ZSHDIR ?= /usr/share/zsh/site-functions
FISHDIR ?= /usr/share/fish/vendor_completions.d
# Where kmp-depmod looks for modules below a root, as kmod's build option of this name. openSUSE's kmod has
# /usr/lib/modules.
MODULE_DIRECTORY ?= /lib/modules
export MODULE_DIRECTORY

# kmp and generators are static. rpm runs kmp in roots that have no libc yet, and starts a generator for
# each file of a driver package, which takes three quarters of the time without libraries to load.
LINKING ?= -C target-feature=+crt-static
# Generators are at fixed addresses too. 3,000 relocations and the pages they change would take 5 % of
# a start. GENERATOR_LINKING='$(LINKING)' links them position-independent, as kmp is.
GENERATOR_LINKING ?= $(if $(LINKING),$(LINKING) -C relocation-model=static)

LINKS := kmp-depmod kmp-trigger
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
TARGET := $(or $(CARGO_TARGET_DIR),target)
OUT := $(TARGET)/release
# What rpm has to know of the generators, made from the table of them.
RPM_FILES := $(OUT)/rpm
COMPLETIONS := $(TARGET)/completions
DIST := $(TARGET)/dist
# The same commit and crates, the same archive.
REPRODUCIBLE = --sort=name --numeric-owner --owner=0 --group=0 --mtime=@$(shell git log -1 --format=%ct)

# cargo builds where the rest looks, whatever the environment says.
export CARGO_TARGET_DIR := $(abspath $(TARGET))
# What incremental builds keep is more than half of a target directory. It helps whoever changes code, and
# calls cargo directly.
export CARGO_INCREMENTAL ?= 0

.PHONY: all
all: binaries man ## Build everything

.PHONY: binaries
binaries: rpm-files ## Build the generators, kmp-split and kmp
	$(CARGO) build --release --locked -p kmp-split
	$(CARGO) rustc --release --locked -p generators --bin kmpkit-generator -- $(GENERATOR_LINKING)
	for name in $$(cat $(RPM_FILES)/programs); do ln -f $(OUT)/kmpkit-generator $(OUT)/$$name || exit 1; done
	$(CARGO) rustc --release --locked -p kmp --bin kmp -- $(LINKING)

.PHONY: man
man: ## Make the manual pages and completions from the option tables
	mkdir -p $(TARGET)/man
	$(CARGO) run --release --locked -p generators --example generators-man -- $(TARGET)/man
	$(CARGO) run --release --locked -p kmp-split --example kmp-split-man -- $(TARGET)/man $(COMPLETIONS)
	$(CARGO) run --release --locked -p kmp --example kmp-man -- $(TARGET)/man $(COMPLETIONS)

.PHONY: rpm-files
rpm-files: ## Make file attributes, macros and Lua from the table of generators
	$(CARGO) run --release --locked -p generators --example rpm-files -- $(RPM_FILES)

# What `install` needs, the last file of each step.
BUILT := $(OUT)/kmp-split $(OUT)/kmpkit-generator $(OUT)/kmp $(TARGET)/man/kmp.1 $(COMPLETIONS)/kmp-depmod.fish $(RPM_FILES)/programs

.PHONY: built
built: $(filter all,$(MAKECMDGOALS))
	for file in $(BUILT); do [ -e $$file ] || exec $(MAKE) all; done

# Generators are hard links to one program, which looks at the name it is called by.
.PHONY: install
install: built ## Install below DESTDIR, where rpm looks for it; builds what was never built
	install -d $(DESTDIR)$(RPMCONFIGDIR)/fileattrs $(DESTDIR)$(RPMCONFIGDIR)/macros.d $(DESTDIR)$(RPMCONFIGDIR)/lua
	install -m 0755 $(OUT)/kmp-split $(OUT)/kmpkit-generator $(DESTDIR)$(RPMCONFIGDIR)
	cd $(DESTDIR)$(RPMCONFIGDIR) && for name in $$(cat $(abspath $(RPM_FILES))/programs); do \
		ln -f kmpkit-generator $$name || exit 1; \
	done && rm kmpkit-generator
	install -d $(DESTDIR)$(BINDIR)
	ln -sfr $(DESTDIR)$(RPMCONFIGDIR)/kmp-split $(DESTDIR)$(BINDIR)/kmp-split
	install -D -m 0755 $(OUT)/kmp $(DESTDIR)$(SBINDIR)/kmp
	for link in $(LINKS); do ln -sf kmp $(DESTDIR)$(SBINDIR)/$$link; done
	install -m 0644 fileattrs/*.attr $(RPM_FILES)/fileattrs/*.attr $(DESTDIR)$(RPMCONFIGDIR)/fileattrs
	install -m 0644 macros.d/macros.kmpkit* $(RPM_FILES)/macros.d/* $(DESTDIR)$(RPMCONFIGDIR)/macros.d
	install -m 0644 lua/*.lua $(RPM_FILES)/lua/*.lua $(DESTDIR)$(RPMCONFIGDIR)/lua
	install -d $(DESTDIR)$(DATADIR)/policy $(DESTDIR)$(DATADIR)/machines $(DESTDIR)$(DOCDIR)/examples
	install -m 0644 policy/*.toml $(DESTDIR)$(DATADIR)/policy
	install -m 0644 machines/*.modalias $(DESTDIR)$(DATADIR)/machines
	install -d $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7
	install -m 0644 $(TARGET)/man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -m 0644 man/*.5 $(DESTDIR)$(MANDIR)/man5
	install -m 0644 man/*.7 $(TARGET)/man/*.7 $(DESTDIR)$(MANDIR)/man7
	install -d $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR)
	for file in $(COMPLETIONS)/*.bash; do \
		install -m 0644 $$file $(DESTDIR)$(BASHDIR)/$$(basename $$file .bash) || exit 1; \
	done
	install -m 0644 $(COMPLETIONS)/_* $(DESTDIR)$(ZSHDIR)
	install -m 0644 $(COMPLETIONS)/*.fish $(DESTDIR)$(FISHDIR)
	install -m 0644 examples/* $(DESTDIR)$(DOCDIR)/examples
	install -m 0644 README.md DESIGN.md BENCHMARKS.md CHANGELOG.md CONTRIBUTING.md SECURITY.md COPYING $(DESTDIR)$(DOCDIR)

.PHONY: rpm
rpm: ## Make packages of the checkout: kmpkit for systems, kmpkit-build for builders
	$(RPM)build -bb --build-in-place --define '_topdir $(abspath $(TARGET))/rpm' \
		--define 'kmpkit_target $(abspath $(TARGET))' --define 'kmpkit_online 1' packaging/kmpkit.spec

# The second archive has all crates, from the source that the packager's cargo configuration names, and
# the configuration, as cargo prints it, that makes cargo use them.
.PHONY: dist
dist: ## Make the archives of sources that distributions build packages from
	mkdir -p $(DIST)/.cargo
	git archive --prefix=kmpkit-$(VERSION)/ -o $(DIST)/kmpkit-$(VERSION).tar.gz HEAD
	cd $(DIST) && $(CARGO) vendor --locked --versioned-dirs --respect-source-config \
		--manifest-path $(CURDIR)/Cargo.toml vendor > .cargo/config.toml
	tar -C $(DIST) $(REPRODUCIBLE) -cJf $(DIST)/vendor.tar.xz .cargo vendor
	cp packaging/kmpkit.spec $(DIST)

# Tests and the demonstration run tools in chroots.
ISOLATED := tests/isolated

.PHONY: setup
setup: ## Install what the tests and the demonstration need
	tests/setup.sh

.PHONY: demo
demo: setup all ## From the distribution's kernel to a machine booted with the drivers it needs; POLICY=per-module
	$(ISOLATED) $(CARGO) run --locked -p kmpkit-tests --bin demo -- $(if $(POLICY),--policy $(POLICY))

.PHONY: lint
lint: ## Check formatting, clippy and documentation
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --quiet --locked --no-deps --workspace

.PHONY: test
test: setup lint ## Pass the tests: one kernel for each oracle, one machine
	$(ISOLATED) $(CARGO) test --locked --workspace

.PHONY: test-all
test-all: setup lint ## Pass all tests: every kernel, rpm and scenario
	$(ISOLATED) $(CARGO) test --locked --workspace -- --include-ignored --nocapture

.PHONY: test-peers
test-peers: setup ## Pass tests beside the tools of other distributions; PEERS=directory with checkouts of them
	$(if $(PEERS),,$(error PEERS= is the directory with checkouts of rpm-config-SUSE, suse-module-tools, kernel-srpm-macros and kmod))
	PEERS=$(abspath $(PEERS)) $(ISOLATED) $(CARGO) test --locked -p kmpkit-tests --features peers --test peers -- --nocapture

# Not among the crates of the workspace, for nothing that is built or tested needs it.
CARGO_FUZZ := 0.13.2
FUZZ_TOOLS := $(abspath $(TARGET))/cargo-fuzz-$(CARGO_FUZZ)

$(FUZZ_TOOLS)/bin/cargo-fuzz:
	@echo "Installing cargo-fuzz $(CARGO_FUZZ) from crates.io into $(FUZZ_TOOLS)"
	$(CARGO) install --locked --version $(CARGO_FUZZ) --root $(FUZZ_TOOLS) cargo-fuzz

.PHONY: fuzz-seeds
fuzz-seeds: setup
	rm -rf fuzz/seeds
	$(CARGO) run --quiet --locked -p kmpkit-tests --bin fuzz-seeds -- fuzz/seeds

.PHONY: fuzz
fuzz: fuzz-seeds $(FUZZ_TOOLS)/bin/cargo-fuzz ## Look for inputs that break promises of parsers; FUZZ_SECONDS=60, FUZZ_RUNS=100000, FUZZ=policy
	PATH=$(FUZZ_TOOLS)/bin:$$PATH fuzz/run.sh $(FUZZ)

.PHONY: bench
bench: setup ## Print the time of generators, kmp-split and builds as ratios; SUITE=builds
	$(ISOLATED) $(CARGO) run --release --locked -p kmpkit-tests --bin bench -- $(if $(SUITE),--suite $(SUITE))

.PHONY: figures
figures: setup ## Print what splitting a kernel costs and saves, and check its bounds
	$(ISOLATED) $(CARGO) run --release --locked -p kmpkit-tests --bin figures

.PHONY: help
help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12
