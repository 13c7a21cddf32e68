# Hexabot's host login: pam_hexabot, nss_hexabot, hexactl.
#
#   make            build              make check     every test            make demo   the main job, played in a throw-away host
#   make install    DESTDIR, PREFIX    make lint      compilers' and checkers' opinions
#   make deps       what it builds with make clean    remove build/           make bench  beside the peers
#   make deb        Debian packages, built in a throw-away host: build/deb. On a host for building: dpkg-buildpackage -b
#   make pictures   the README's terminals, drawn anew            make compare  the same faults and questions for the peers
#   make check-long what takes too long for every change
#   make fuzz       FUZZ_TIME=60 seconds a target; FUZZ="config map": these of config map names code hash csv pam
#
# CC=clang, WERROR=1, SANITIZE=address,undefined and BUILD=dir choose another build. CPPFLAGS, CFLAGS and LDFLAGS come
# after ours and so override them.

PREFIX     = /usr
SYSCONFDIR = /etc
STATEDIR   = /var/lib/hexactl
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
LIBDIR     = $(PREFIX)/lib/$(MULTIARCH)
SBINDIR    = $(PREFIX)/sbin
LIBEXECDIR = $(PREFIX)/libexec/hexabot
SHAREDIR   = $(PREFIX)/share
UNITDIR    = $(PREFIX)/lib/systemd/system
BASHDIR    = $(SHAREDIR)/bash-completion/completions
ZSHDIR     = $(SHAREDIR)/zsh/vendor-completions
FISHDIR    = $(SHAREDIR)/fish/vendor_completions.d
TMPFILESDIR = $(PREFIX)/lib/tmpfiles.d
APPARMORDIR = $(SYSCONFDIR)/apparmor.d/abstractions/nameservice.d
EXAMPLEDIR = $(SHAREDIR)/doc/hexactl/examples

BUILD = build/$(CC)
CFLAGS = -O2 -g
HARDEN_C  = -fstack-protector-strong -fstack-clash-protection $(CF_PROTECTION)
# Only x86 has it.
CF_PROTECTION := $(shell $(CC) -fcf-protection -x c -E /dev/null >/dev/null 2>&1 && echo -fcf-protection)
HARDEN_LD = -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
ifdef SANITIZE
SAN       = -fsanitize=$(SANITIZE) -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1
ifeq ($(findstring clang,$(CC))$(findstring address,$(SANITIZE)),clangaddress)
# One runtime in a process, also where a module is loaded by a daemon. gcc does that by itself.
SAN_LD    = -shared-libasan -Wl,-rpath,$(dir $(shell $(CC) -print-file-name=libclang_rt.asan-x86_64.so))
endif
else
FORTIFY   = -D_FORTIFY_SOURCE=2
DEFS      = -Wl,-z,defs
endif
WARN = -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough -Wold-style-definition
ifdef WERROR
WARN += -Werror
endif

OUR_CPPFLAGS = -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -DHXB_SYSCONF_DIR='"$(SYSCONFDIR)"' -DHXB_STATE_DIR='"$(STATEDIR)"' \
	-DHXB_LIBEXEC_DIR='"$(LIBEXECDIR)"' -DHXB_LIB_DIR='"$(LIBDIR)"' $(FORTIFY)
OUR_CFLAGS   = -std=gnu17 -fPIC -fvisibility=hidden $(HARDEN_C) $(WARN)
COMPILE      = $(CC) $(OUR_CPPFLAGS) $(CPPFLAGS) $(OUR_CFLAGS) $(CFLAGS) $(SAN) -MMD -MP -c
LINK         = $(CC) $(HARDEN_LD) $(SAN) $(SAN_LD)

LIB_SRC := $(sort $(wildcard libhexabot/*.c))
PAM_SRC := $(sort $(wildcard pam_hexabot/*.c))
NSS_SRC := $(sort $(wildcard nss_hexabot/*.c)) $(addprefix libhexabot/,map_open.c map_read.c map_pin.c)
# The module's judgement, without PAM.
JUDGE   := $(addprefix pam_hexabot/,answer.c code.c context.c owner.c)
CHK_SRC := $(sort $(wildcard hexabot_chkpwd/*.c)) $(JUDGE) pam_hexabot/proof.c
CTL_SRC := $(sort $(wildcard hexactl/*.c)) $(JUDGE)
obj      = $(patsubst %.c,$(BUILD)/%.o,$(1))

# Every program of the host maps it: two segments instead of four are a fifth of the time that takes.
NSS_LD   = -Wl,-z,noseparate-code
LIB_LIBS = -lsqlite3 -lcrypt -lsodium -linih

LIB = $(BUILD)/libhexabot.a
PAM = $(BUILD)/pam_hexabot.so
NSS = $(BUILD)/libnss_hexabot.so.2
CTL = $(BUILD)/bin/hexactl
CHK = $(BUILD)/bin/hexabot_chkpwd

# What shells complete, printed by hexactl itself.
COMPLETIONS = $(addprefix $(BUILD)/completions/,bash zsh fish)

all: $(PAM) $(NSS) $(CTL) $(CHK) $(COMPLETIONS)

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) -o $@ $<

$(LIB): $(call obj,$(LIB_SRC))
	rm -f $@
	$(AR) rcs $@ $^

# A module that is unloaded leaves its map mapped, and SQLite is loaded anew each time.
$(PAM): $(call obj,$(PAM_SRC)) $(LIB) pam_hexabot/exports.map
	$(LINK) -shared $(DEFS) -Wl,-z,nodelete -Wl,--version-script=pam_hexabot/exports.map -Wl,--exclude-libs,ALL -Wl,--as-needed \
		$(LDFLAGS) -o $@ $(call obj,$(PAM_SRC)) $(LIB) $(LIB_LIBS) -lpam

$(NSS): $(call obj,$(NSS_SRC)) nss_hexabot/exports.map
	$(LINK) -shared $(DEFS) $(NSS_LD) -Wl,-soname,libnss_hexabot.so.2 -Wl,-z,nodelete -Wl,--version-script=nss_hexabot/exports.map \
		$(LDFLAGS) -o $@ $(call obj,$(NSS_SRC))

$(CTL): $(call obj,$(CTL_SRC)) $(LIB)
	@mkdir -p $(@D)
	$(LINK) -pie -Wl,--as-needed $(LDFLAGS) -o $@ $(call obj,$(CTL_SRC)) $(LIB) $(LIB_LIBS) -ljansson -lcurl

$(CHK): $(call obj,$(CHK_SRC)) $(LIB)
	@mkdir -p $(@D)
	$(LINK) -pie -Wl,--as-needed $(LDFLAGS) -o $@ $(call obj,$(CHK_SRC)) $(LIB) $(LIB_LIBS)

$(COMPLETIONS): $(CTL)
	@mkdir -p $(@D)
	$(CTL) completion $(@F) >$@

install: all
	install -d -m 755 $(DESTDIR)$(LIBDIR)/security $(DESTDIR)$(SBINDIR) $(DESTDIR)$(LIBEXECDIR) \
		$(DESTDIR)$(SHAREDIR)/pam-configs $(DESTDIR)$(SHAREDIR)/man/man8 $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR) \
		$(DESTDIR)$(TMPFILESDIR) $(DESTDIR)$(APPARMORDIR) $(DESTDIR)$(EXAMPLEDIR) \
		$(DESTDIR)$(SHAREDIR)/man/man5 $(DESTDIR)$(SHAREDIR)/man/man7
	install -m 644 $(PAM) $(DESTDIR)$(LIBDIR)/security/
	install -m 644 $(NSS) $(DESTDIR)$(LIBDIR)/
	install -m 755 $(CTL) $(DESTDIR)$(SBINDIR)/
	install -m 4755 $(CHK) $(DESTDIR)$(LIBEXECDIR)/
	install -m 644 dist/pam-configs/* $(DESTDIR)$(SHAREDIR)/pam-configs/
	install -m 644 dist/systemd/*.service $(DESTDIR)$(UNITDIR)/
	install -m 644 dist/tmpfiles/*.conf $(DESTDIR)$(TMPFILESDIR)/
	install -m 644 dist/apparmor/nameservice $(DESTDIR)$(APPARMORDIR)/hexabot
	install -m 644 dist/apparmor/hexabot-publish $(DESTDIR)$(EXAMPLEDIR)/apparmor-hexabot-publish
	install -m 644 dist/sudoers $(DESTDIR)$(EXAMPLEDIR)/sudoers-hexabot
	install -m 644 dist/faillock.conf $(DESTDIR)$(EXAMPLEDIR)/
	install -m 644 $(BUILD)/completions/bash $(DESTDIR)$(BASHDIR)/hexactl
	install -m 644 $(BUILD)/completions/zsh $(DESTDIR)$(ZSHDIR)/_hexactl
	install -m 644 $(BUILD)/completions/fish $(DESTDIR)$(FISHDIR)/hexactl.fish
	for section in 5 7 8; do install -m 644 doc/man/*.$$section $(DESTDIR)$(SHAREDIR)/man/man$$section/ || exit; done
	$(if $(DESTDIR),,ldconfig) # the name service finds its library faster by the cache

clean:
	rm -rf build

include tests/tests.mk

.PHONY: all install deps check demo lint clean
.DELETE_ON_ERROR:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
