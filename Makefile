# Builds, installs, tests and shows kmpkit. `make help` lists the targets.

CARGO ?= cargo
RPM ?= rpm
DESTDIR ?=

# Where rpm looks; the defaults are those of rpm itself.
RPMCONFIGDIR ?= $(or $(shell $(RPM) --eval '%{_rpmconfigdir}' 2> /dev/null),/usr/lib/rpm)
MANDIR ?= /usr/share/man
DOCDIR ?= /usr/share/doc/kmpkit

BINARIES := ksym-provides ksym-requires modalias-supplements depmod-requires kmp-split
OUT := target/release

.PHONY: all
all: binaries man ## Build everything

.PHONY: binaries
binaries: ## Build the generators and kmp-split
	$(CARGO) build --release --locked -p generators -p kmp-split

.PHONY: man
man: ## Make the manual pages from the option tables
	mkdir -p target/man
	$(CARGO) run --quiet --release --locked -p generators --example man -- target/man
	$(CARGO) run --quiet --release --locked -p kmp-split --example man -- target/man

.PHONY: install
install: ## Install what was built below DESTDIR, where rpm looks for it
	install -d $(DESTDIR)$(RPMCONFIGDIR)/fileattrs $(DESTDIR)$(RPMCONFIGDIR)/macros.d $(DESTDIR)$(RPMCONFIGDIR)/lua
	install -m 0755 $(BINARIES:%=$(OUT)/%) $(DESTDIR)$(RPMCONFIGDIR)
	install -m 0644 fileattrs/*.attr $(DESTDIR)$(RPMCONFIGDIR)/fileattrs
	install -m 0644 macros.d/macros.kmpkit $(DESTDIR)$(RPMCONFIGDIR)/macros.d
	install -m 0644 lua/kmpkit.lua $(DESTDIR)$(RPMCONFIGDIR)/lua
	install -d $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man7 $(DESTDIR)$(DOCDIR)/examples
	install -m 0644 target/man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -m 0644 man/*.7 $(DESTDIR)$(MANDIR)/man7
	install -m 0644 examples/*.spec $(DESTDIR)$(DOCDIR)/examples
	install -m 0644 README.md DESIGN.md $(DESTDIR)$(DOCDIR)
