#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Programs that do not run as root: a screen locker asks through the set-uid hexabot_chkpwd, which takes nothing from
# whoever starts it.

load host

HELPER=/usr/libexec/hexabot/hexabot_chkpwd

setup_file() {
	store_setup
	printf '%s\n' '@include common-auth' '@include common-account' >/etc/pam.d/locker
	printf '%s\n' 'auth required pam_hexabot.so roles=admin' 'account required pam_hexabot.so roles=admin' \
		>/etc/pam.d/admin-locker
	useradd --system dbserver
}

locker() { # CALLER USER PASSWORD [SERVICE]: what swaylock or xscreensaver do
	as "$1" pamtester "${4:-locker}" "$2" authenticate acct_mgmt <<<"$3"
}

ask() { # CALLER STAGE LOGIN: the helper itself, with the password on stdin; prints its answer
	as "$1" "$HELPER" "${@:2}"
}

hands_off() { # the store can be written at once
	timeout 3 sqlite3 "$STORE" 'BEGIN EXCLUSIVE; ROLLBACK'
}

helper_process() {
	local exe
	for exe in /proc/[0-9]*/exe; do
		if [ "$(readlink "$exe")" = "$HELPER" ]; then
			basename "$(dirname "$exe")"
			return
		fi
	done
	return 1
}

waiting_helper() { # [CMD...]: mona's, with nothing on its stdin yet; its process in $HELPER_PROCESS
	rm -f /tmp/silence
	mkfifo -m 666 /tmp/silence
	(as mona "$@" "$HELPER" auth mona </tmp/silence >/tmp/answer 2>&1 3>&- 4>&-) &
	exec 8>/tmp/silence
	until_true 5 helper_process
	HELPER_PROCESS=$(helper_process)
}

waiting_helper_ends() {
	exec 8>&-
	wait
}

@test "a screen locker lets its user back in with the right password, and nobody with another" {
	locker mona mona pw-mona
	log_has 'hexabot_chkpwd\[[0-9]+\]: auth: allowed mona'
	log_has 'hexabot_chkpwd\[[0-9]+\]: account: allowed mona'
	attempt wrong locker mona mona pw-wrong
	attempts_end
	kept_out wrong
	[ "$(cat "$BATS_TEST_TMPDIR/wrong.ms")" -ge 2000 ]
	log_has 'hexabot_chkpwd\[[0-9]+\]: auth: refused mona: wrong password'
	run locker mona mona ''
	[ "$status" -ne 0 ]
}

@test "it works for a program with closed descriptors, and for one that ignores SIGCHLD" {
	as mona pamtester locker mona authenticate >&- 2>&- <<<pw-mona
	# shellcheck disable=SC2016
	as mona perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' pamtester locker mona authenticate <<<pw-mona
}

@test "disabled, held, without a role, with stale groups: refused as everywhere" {
	hexactl disable mona
	run locker mona mona pw-mona
	[ "$status" -ne 0 ]
	log_has 'auth: refused mona: disabled'
	run as mona pamtester locker mona acct_mgmt
	[ "$status" -ne 0 ]
	[[ $output == *'This account is disabled.'* ]]
	hexactl enable mona

	sql_role remove mona manager
	run as mona pamtester locker mona acct_mgmt
	[ "$status" -ne 0 ]
	log_has 'account: refused mona: no role that may log in'
	sql_role add mona manager
	locker mona mona pw-mona

	run locker mona mona pw-mona admin-locker
	[ "$status" -ne 0 ]
	log_has 'auth: refused mona: no role that may log in'
	locker ada ada pw-ada admin-locker
}

@test "a database server's way, another user's, and root's: own account only" {
	for caller in dbserver lars ada; do
		run locker "$caller" mona pw-mona
		[ "$status" -ne 0 ]
		log_has "refused mona from local: the calling program runs as uid $(id -u "$caller"), neither as root nor as the user"
		run ask "$caller" auth mona <<<pw-mona
		[ "$status" -eq 1 ]
		[ -z "$output" ]
		log_has "hexabot_chkpwd\[[0-9]+\]: auth: uid $(id -u "$caller") asked about an account that is not its own"
	done
	run "$HELPER" auth mona <<<pw-mona
	[ "$status" -eq 1 ]
	run ask mona auth nobody-has-this-name <<<pw-mona
	[ "$status" -eq 1 ]
}

@test "local users' lockers are pam_unix's, as ever" {
	locker lars lars "$LARS_PASSWORD"
	[ "$(log_count hexabot_chkpwd)" -eq 0 ]
}

@test "asked by hand it says what it is" {
	# A job of an interactive shell can't leave its terminal.
	run dialog -- setpriv --reuid mona --regid hexabot.mona --init-groups bash -c "set -m; $HELPER auth mona; exit \$?"
	[ "$status" -eq 1 ]
	[[ $output == *'is run by pam_hexabot, not by hand'* ]]
	run ask mona
	[ "$status" -eq 2 ]
	run ask mona password mona
	[ "$status" -eq 2 ]
}

@test "nothing on stdin, a closed one, ten megabytes, a NUL: refused within its time" {
	run ask mona auth mona <&-
	[ "$output" = '9 ' ]
	run ask mona auth mona </dev/null
	[ "$output" = '7 ' ]
	run timeout 20 bash -c "head -c 10000000 /dev/zero | tr '\0' a | setpriv --reuid mona --clear-groups $HELPER auth mona"
	[ "$output" = '7 ' ]
	run ask mona auth mona < <(printf 'pw-mona\0')
	[ "$output" = '7 ' ]
	run ask mona auth mona < <(printf 'pw-mona')
	[ "$output" = '0 ' ]
}

@test "an invitation's code opens nothing here" {
	local code
	code=$(hexactl invite --print --role manager --username guest guest@example.org | grep -oE '([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}')
	[ -n "$code" ]
	run ask guest auth guest < <(printf %s "$code")
	[ "$output" = '7 ' ]
	run ask guest account guest
	[ "$output" = '13 This account waits for its first login.' ]
}

@test "it takes no descriptor, limit, signal, priority, mask, directory, group or terminal from its caller" {
	local status
	waiting_helper bash -c 'ulimit -f 0 -n 20 -t 5; umask 0; cd /tmp; exec 9</etc/hostname; exec nice -n 19 ionice -c 3 taskset -c 0 "$@"' -
	status=/proc/$HELPER_PROCESS/status
	ls -l "/proc/$HELPER_PROCESS/fd"
	[ "$(find "/proc/$HELPER_PROCESS/fd" -lname /etc/hostname | wc -l)" -eq 0 ]
	[ "$(awk '/^(Uid|Gid):/ { print $2, $3, $4, $5 }' "$status" | sort -u)" = '0 0 0 0' ]
	[ "$(sed -n 's/^Groups:\t *//p' "$status")" = '' ]
	[ "$(sed -n 's/^Umask:\t//p' "$status")" = 0077 ]
	[ "$(sed -n 's/^SigBlk:\t//p' "$status")" = fffffffe7ffbdeff ] # all but KILL, STOP and ALRM, and glibc's own two
	[ "$(readlink "/proc/$HELPER_PROCESS/cwd")" = / ]
	# Session leader, without a terminal, at priority 0.
	[ "$(cut -d ' ' -f 6,7,19 "/proc/$HELPER_PROCESS/stat" | xargs)" = "$HELPER_PROCESS 0 0" ]
	[ "$(ionice -p "$HELPER_PROCESS")" = "$(ionice)" ]
	[ "$(sed -n 's/^Cpus_allowed:\t//p' "$status")" = "$(sed -n 's/^Cpus_allowed:\t//p' /proc/self/status)" ]
	if prlimit --fsize=1:1 prlimit --fsize=unlimited true 2>/dev/null; then # root may raise limits here
		grep -qE '^Max file size +unlimited +unlimited' "/proc/$HELPER_PROCESS/limits"
		grep -qE '^Max cpu time +unlimited +unlimited' "/proc/$HELPER_PROCESS/limits"
	fi
	grep -qE '^Max core file size +0 +0' "/proc/$HELPER_PROCESS/limits"
	waiting_helper_ends
}

@test "its caller can neither stop, kill nor trace it, and it holds up no writer" {
	local signal
	waiting_helper
	for signal in STOP KILL TSTP TERM; do
		run as mona kill "-$signal" "$HELPER_PROCESS"
		[ "$status" -ne 0 ]
		[[ $output == *'not permitted'* ]]
	done
	run as mona strace -p "$HELPER_PROCESS"
	[ "$status" -ne 0 ]
	run as mona cat "/proc/$HELPER_PROCESS/environ"
	[ "$status" -ne 0 ]
	hands_off
	waiting_helper_ends
}

@test "a caller that reads nothing of it keeps it for a minute at most" {
	rm -f /tmp/full
	mkfifo -m 666 /tmp/full
	exec 8<>/tmp/full
	dd if=/dev/zero of=/tmp/full bs=65536 count=1 oflag=nonblock status=none
	setpriv --reuid mona --clear-groups "$HELPER" >/dev/null 2>&8 3>&- 4>&- &
	until_true 5 helper_process
	HELPER_PROCESS=$(helper_process)
	# Its alarm is on its way: what a minute would show.
	[ "$(sed -n 's/^SigBlk:\t//p' "/proc/$HELPER_PROCESS/status" | cut -c 13)" = d ]
	kill -ALRM "$HELPER_PROCESS"
	wait "$!" || [ "$?" -eq 142 ]
	exec 8>&-
}

@test "one attempt at a time" {
	waiting_helper
	run ask mona auth mona < <(printf 'pw-mona')
	[ "$output" = '9 ' ]
	log_has 'auth: refused mona: another attempt is under way'
	waiting_helper_ends
	run ask mona auth mona < <(printf 'pw-mona')
	[ "$output" = '0 ' ]
}

@test "its environment is not the caller's" {
	local name
	cc -shared -fPIC -x c -o /tmp/preload.so - <<-'END'
		#include <fcntl.h>
		__attribute__((constructor)) static void loaded(void) { creat("/tmp/loaded.by-root", 0600); }
	END
	run env LD_PRELOAD=/tmp/preload.so true
	[ -e /tmp/loaded.by-root ]
	rm /tmp/loaded.by-root
	as mona env LD_PRELOAD=/tmp/preload.so LD_AUDIT=/tmp/preload.so "$HELPER" account mona
	[ ! -e /tmp/loaded.by-root ] || [ "$(stat -c %U /tmp/loaded.by-root)" = mona ]
	for name in SQLITE_TMPDIR TMPDIR LOCALDOMAIN GCONV_PATH NLSPATH MALLOC_CHECK_ GLIBC_TUNABLES TZ; do
		run as mona env "$name=/tmp/../../../dev/full" "$HELPER" account mona
		[ "$output" = '0 ' ]
	done
}

@test "starved of everything it denies, or judges all the same; the store stays whole" {
	local limit limits=(nofile=3 nofile=20 fsize=0 core=0 nproc=0 memlock=0 cpu=1 sigpending=0 locks=0)
	# The sanitizer's own memory is more than that.
	[ -d /tmp/sanitizer ] || limits+=(as=0 as=3000000 as=20000000 data=0 stack=0 stack=65536)
	for limit in "${limits[@]}"; do
		as mona prlimit "--$limit" "$HELPER" account mona >/tmp/mona 2>&1 || true
		as max prlimit "--$limit" "$HELPER" account max >/tmp/max 2>&1 || true
		grep -H . /tmp/mona /tmp/max || true
		[ "$(grep -c '^0 ' /tmp/max)" -eq 0 ]
		[ "$(grep -cE '^[0-9]+ ' /tmp/mona)" -eq "$(grep -cE '^(0|9) $' /tmp/mona)" ]
	done
	[ "$(sqlite3 "$STORE" 'PRAGMA integrity_check')" = ok ]
	[ "$(as mona "$HELPER" account mona)" = '0 ' ]
	[[ $(as max "$HELPER" account max) = 13\ * ]]
}

@test "without the helper, or without its bit, Hexabot's users are refused and local ones are not" {
	chmod u-s "$HELPER"
	run locker mona mona pw-mona
	[ "$status" -ne 0 ]
	log_has 'no answer for mona from /usr/libexec/hexabot/hexabot_chkpwd'
	mv "$HELPER" "$HELPER.away"
	run locker mona mona pw-mona
	[ "$status" -ne 0 ]
	locker lars lars "$LARS_PASSWORD"
	mv "$HELPER.away" "$HELPER"
	chmod u+s "$HELPER"
	locker mona mona pw-mona
}
