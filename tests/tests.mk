# Tests, included by the Makefile. `make check` is tests/check: every build, every program, one count.

BUILD_DEPS = gcc libc6-dev libpam0g-dev libsqlite3-dev libcrypt-dev libsodium-dev libinih-dev libjansson-dev libcurl4-openssl-dev
CHECK_DEPS = clang libclang-rt-14-dev libcmocka-dev binutils gcc-multilib
LONG_DEPS  = valgrind
LINT_DEPS  = clang clang-format clang-tidy cppcheck mandoc shellcheck

UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT     := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(UNIT_SRC))
UNIT_LIBS = $(LIB_LIBS) -lcmocka -lpam -lpthread

# What of hexactl needs no session.
UNIT_CTL  = $(call obj,$(addprefix hexactl/,address.c csv.c key_line.c kin.c letter.c nsswitch.c pam_line.c pam_run.c pam_stack.c processes.c \
	text_file.c utf8.c))

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/tests/unit/support.o $(UNIT_CTL) $(LIB)
	$(LINK) -rdynamic $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(UNIT_LIBS)

$(addprefix $(BUILD)/tests/unit/,test_pam test_pam_threads test_matrix): $(BUILD)/tests/unit/pam_fixture.o
$(BUILD)/tests/unit/test_matrix: $(call obj,$(sort $(wildcard tests/unit/matrix_*.c)))

NSS_WALK = $(BUILD)/tests/unit/nss_walk
$(NSS_WALK): $(NSS_WALK).o
	$(LINK) $(LDFLAGS) -o $@ $<

# glibc and libpam load the module under test by its path.
$(BUILD)/tests/unit/test_nss.o: OUR_CPPFLAGS += -DTEST_MODULE='"$(abspath $(NSS))"'
$(BUILD)/tests/unit/test_nss_%.o: OUR_CPPFLAGS += -DTEST_MODULE='"$(abspath $(NSS))"' -DTEST_WALK='"$(abspath $(NSS_WALK))"'
$(BUILD)/tests/unit/pam_fixture.o: OUR_CPPFLAGS += -DTEST_MODULE='"$(abspath $(PAM))"'

# Fuzz targets: with replay.c they run the kept corpus, with libFuzzer in its place (`make fuzz`) they look for more.
FUZZ     = config map names code hash csv pam
FUZZING  = $(addprefix $(BUILD)/tests/fuzz/fuzz_,$(FUZZ))
FUZZ_LIB = $(BUILD)/tests/fuzz/libfuzz.a
ENGINE   = $(BUILD)/tests/fuzz/replay.o

# Whose calls are the target's to answer: --wrap.
FAULTS = malloc calloc realloc reallocarray strdup strndup open64 openat64 __openat64_2 fstat64 lstat64 stat64 read pread64 \
	write pwrite64 ftruncate64 fsync fdatasync fcntl64 mmap64 close unlink fdopen open_memstream fgets setresuid setfsuid \
	clock_gettime time nanosleep usleep crypt_r crypt_gensalt_rn
WRAP_config = hxb_trust_open
WRAP_map    = clock_gettime getrandom time
WRAP_hash   = $(FAULTS)
WRAP_pam    = $(FAULTS) getrandom getpwnam_r getgrgid_r getgrouplist
FUZZ_PAM    = $(call obj,$(PAM_SRC) $(wildcard tests/fuzz/pam_*.c))
FUZZ_MAP    = $(call obj,$(filter nss_hexabot/%,$(NSS_SRC)))
$(BUILD)/tests/fuzz/fuzz_pam: $(FUZZ_PAM)
$(BUILD)/tests/fuzz/fuzz_map: $(FUZZ_MAP)

$(FUZZ_LIB): $(call obj,$(addprefix tests/fuzz/,fuzz.c bcrypt.c faults.c)) $(UNIT_CTL)
	rm -f $@
	$(AR) rcs $@ $^

# SQLite is linked in, so that what it calls can be made to fail, too.
$(FUZZING): $(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(FUZZ_LIB) $(LIB)
	$(LINK) $(patsubst %,-Wl$(comma)--wrap=%,$(WRAP_$*)) $(LDFLAGS) -o $@ $(filter-out %/replay.o,$(filter %.o,$^)) $(ENGINE) \
		$(FUZZ_LIB) $(LIB) -Wl,-Bstatic -lsqlite3 -Wl,-Bdynamic -lcrypt -lsodium -linih -lm
comma = ,

# Unit tests need a build of their own, with STATEDIR and SYSCONFDIR out of harm's way: see tests/check.
unit: all $(UNIT) $(FUZZING) $(NSS_WALK) $(BUILD)/tests/unit/nss_map

# What each of the small steps in tests/check builds: for 32-bit programs (CC="gcc -m32"), and for TSan.
unit-i386: $(NSS) $(NSS_WALK)
unit-threads: $(NSS) $(PAM) $(addprefix $(BUILD)/tests/unit/,test_nss_threads test_pam_threads)

# The packages that are not there yet, if any. Only root can install them.
install_missing = missing=$$(for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q ' installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
		echo "installing $$missing"; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get -q update && apt-get -q -y install --no-install-recommends $$missing; \
	fi

deps:
	@$(call install_missing,$(BUILD_DEPS))

check-deps: deps
	@$(call install_missing,$(CHECK_DEPS))

lint-deps: deps
	@$(call install_missing,$(LINT_DEPS))

check: check-deps
	tests/check

check-long: check-deps
	@$(call install_missing,$(LONG_DEPS))
	tests/check long

deb:
	@tests/system/testhost true
	@$(MAKE) -s deps
	@tests/system/deb
	@ls build/deb/*.deb

demo:
	@tests/system/testhost true
	@$(MAKE) -s deps
	@$(MAKE) -s BUILD=build/demo CC=gcc all
	@tests/demo.sh build/demo

pictures:
	@tests/system/testhost true
	@$(MAKE) -s deps
	@$(MAKE) -s BUILD=build/demo CC=gcc all
	@LC_ALL=C.UTF-8 tests/pictures build/demo

.PHONY: pictures

BENCH = $(BUILD)/tests/bench/bench

# SQLite is linked in, so that loading it can be measured; PAM's modules find this program's crypt_r().
$(BENCH): $(call obj,$(sort $(wildcard tests/bench/*.c)))
	$(LINK) -pie -Wl,--export-dynamic-symbol=crypt_r $(LDFLAGS) -o $@ $^ \
		-Wl,-Bstatic -lsqlite3 -Wl,-Bdynamic -lpam -lm -Wl,--no-as-needed -lcrypt

bench:
	@tests/system/testhost true
	@$(MAKE) -s deps
	@$(MAKE) -s BUILD=build/bench CC=gcc all build/bench/tests/bench/bench
	@tests/bench/run build/bench

compare:
	@tests/system/testhost true
	@$(MAKE) -s deps
	@$(MAKE) -s BUILD=build/compare CC=gcc all
	@tests/compare/run build/compare

.PHONY: bench compare

FUZZ_TIME = 60

# Out of harm's way, and out of the unit tests': a test host's.
fuzz: check-deps
	@$(MAKE) -s BUILD=build/fuzz CC=clang SANITIZE=address,undefined SAN_LD= CFLAGS="-g -fsanitize=fuzzer-no-link" \
		ENGINE=-fsanitize=fuzzer STATEDIR=/run/hexabot-fuzz/state SYSCONFDIR=/run/hexabot-fuzz/etc fuzzers
	@tests/fuzz/run build/fuzz $(FUZZ_TIME) $(FUZZ)

fuzzers: $(FUZZING)

.PHONY: fuzz fuzzers

lint: lint-deps
	tests/lint

.PHONY: check-long deb unit unit-i386 unit-threads check-deps lint-deps
.SECONDARY:
