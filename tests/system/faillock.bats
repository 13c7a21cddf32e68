#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Lockout by pam_faillock, with the profiles and the configuration in dist: after so many wrong passwords the right one
# opens nothing, and nobody at the door learns that.

load host

TALLIES=/var/lib/faillock

setup_file() {
	store_setup
	cp /etc/pam.d/common-auth /tmp/stack.before
	sed 's/^deny = .*/deny = 3/' "$PROJECT/dist/faillock.conf" >/etc/security/faillock.conf
	profiles --enable hexabot-faillock hexabot-faillock-success
}

profiles() { # of pam-auth-update
	DEBIAN_FRONTEND=noninteractive pam-auth-update --package "$@" </dev/null
}

stack() { # modules of the auth stack, and what they are told, in their order
	sed -n 's/^auth[[:space:]]*\(\[.*\]\|[a-z]*\)[[:space:]]*\([a-z_]*\.so\)[[:space:]]*\([a-z]*\).*/\1 \2 \3/p' \
		/etc/pam.d/common-auth | sed 's/ *$//'
}

unlock() { # USER...
	local user
	for user; do
		faillock --dir "$TALLIES" --user "$user" --reset
	done
}

failures() { # USER: how many are on record
	faillock --dir "$TALLIES" --user "$1" | grep -c ' V$' || true
}

wrong() { # [USER TIMES]...: passwords, all at once
	local i names=()
	while [ $# -gt 0 ]; do
		for ((i = 0; i < $2; i++)); do
			attempt "wrong-$1-$i" ssh_password "$1" pw-wrong true
			names+=("wrong-$1-$i")
		done
		shift 2
	done
	attempts_end
	kept_out "${names[@]}"
}

@test "failures count wherever they happen, and then no password opens anything, the right one included" {
	attempt ssh ssh_password mona pw-wrong true
	attempt kbd ssh_kbd mona pw-wrong true
	attempt su su_as lars mona pw-wrong true
	attempts_end
	kept_out ssh kbd su
	[ "$(failures mona)" -eq 3 ]
	log_has 'pam_faillock.*mona account temporarily locked'
	attempt right ssh_password mona pw-mona true
	attempt right-kbd ssh_kbd mona pw-mona true
	attempt right-su su_as lars mona pw-mona true
	attempt right-login login_as mona pw-mona true
	attempt right-sudo sudo_as mona pw-mona true
	attempt wrong-su su_as lars mona pw-wrong true
	attempt ada ssh_password ada pw-ada true
	attempts_end
	kept_out right right-kbd right-su right-login right-sudo wrong-su
	got_in ada
	# The same work: pam_hexabot has judged the password before. The same prompts and words as for a wrong one.
	log_has 'pam_hexabot\(sshd:auth\): allowed mona'
	[ "$(log_count 'pam_hexabot\(.*:account\): allowed mona')" -eq 0 ]
	diff "$BATS_TEST_TMPDIR/ssh.out" "$BATS_TEST_TMPDIR/right.out"
	diff "$BATS_TEST_TMPDIR/kbd.out" "$BATS_TEST_TMPDIR/right-kbd.out"
	diff "$BATS_TEST_TMPDIR/su.out" "$BATS_TEST_TMPDIR/right-su.out"
	diff "$BATS_TEST_TMPDIR/su.out" "$BATS_TEST_TMPDIR/wrong-su.out"
}

@test "a reboot unlocks nobody; a key opens the locked account, and leaves the password locked" {
	kill "$(cat /run/sshd.pid)"
	mount -t tmpfs -o mode=755 run /run
	mkdir /run/sshd
	start /usr/sbin/sshd
	ssh_key mona true
	attempt right ssh_password mona pw-mona true
	attempt ada ssh_password ada pw-ada true
	attempts_end
	kept_out right
	got_in ada
	[ "$(failures mona)" -eq 3 ]
}

@test "root unlocks" {
	unlock mona
	ssh_password mona pw-mona true
}

@test "the right password forgives the wrong ones before it, of local users as well" {
	wrong mona 2 lars 2
	[ "$(failures mona) $(failures lars)" = '2 2' ]
	ssh_password mona pw-mona true
	ssh_password lars "$LARS_PASSWORD" true
	[ "$(failures mona) $(failures lars)" = '0 0' ]
}

@test "a job of cron's, or a key, forgives nothing" {
	wrong ada 2
	ssh_key ada true
	cron_jobs ada
	until_true 5 grep -qx ada /tmp/cron/ada
	[ "$(failures ada)" -eq 2 ]
	unlock ada
}

@test "root is never locked; local users are, and names that nobody has are on no record" {
	wrong root 5 lars 3 nobody-knows-me 4
	attempt ssh ssh_password root "$ROOT_PASSWORD" true
	attempt su su_as ada root "$ROOT_PASSWORD" true
	attempt key ssh_key root true
	attempt lars ssh_password lars "$LARS_PASSWORD" true
	attempts_end
	got_in ssh su key
	kept_out lars
	unlock lars
	ssh_password lars "$LARS_PASSWORD" true
	[ "$(log_count pam_hexabot)" -eq 0 ]
	[ "$(find "$TALLIES" -name 'nobody*' | wc -l)" -eq 0 ]
	[ "$(log_count 'pam_faillock.*nobody-knows-me')" -eq 0 ]
}

@test "a disabled user's right password is a failure like any; enabled again, the account is locked until root unlocks it" {
	local i
	hexactl disable mona
	for i in 1 2 3; do
		attempt "disabled-$i" ssh_password mona pw-mona true
	done
	attempts_end
	kept_out disabled-{1,2,3}
	[ "$(failures mona)" -eq 3 ]
	hexactl enable mona
	attempt right ssh_password mona pw-mona true
	attempts_end
	kept_out right
	unlock mona
	ssh_password mona pw-mona true
}

@test "a wrong code is a failure, too; the code outlives the lock" {
	local code
	code=$(hexactl invite nina@example.org --role manager --print | grep -oE '([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}')
	wrong nina 3
	attempt locked ssh_kbd nina "$code" true
	attempts_end
	kept_out locked
	unlock nina
	dialog 'Password: ' "$code" 'New password: ' pw-nina-new 'etype new password: ' pw-nina-new -- \
		ssh -o PreferredAuthentications=keyboard-interactive -o PubkeyAuthentication=no -l nina 127.0.0.1 true
	ssh_password nina pw-nina-new true
}

@test "the profiles give one and the same stack, whichever is enabled first, and leave no trace" {
	local all=(hexabot hexabot-password hexabot-faillock hexabot-faillock-success) wanted order
	wanted='[success=3 default=ignore] pam_hexabot.so
[success=2 default=ignore] pam_unix.so nullok
required pam_faillock.so authfail
requisite pam_deny.so
required pam_permit.so
required pam_faillock.so authsucc
optional pam_cap.so'
	[ "$(stack)" = "$wanted" ]
	for order in '0 1 2 3' '3 2 1 0' '2 0 3 1'; do
		profiles --remove "${all[@]}"
		[ "$(cat /etc/pam.d/common-* | grep -cE "pam_(hexabot|faillock)")" -eq 0 ]
		for i in $order; do
			profiles --enable "${all[i]}"
		done
		[ "$(stack)" = "$wanted" ]
	done
	profiles --remove hexabot-faillock hexabot-faillock-success
	diff /tmp/stack.before /etc/pam.d/common-auth
}

@test "the stack for those who write theirs by hand locks, forgives, and spares root" {
	{
		sed -n 's/^# *\(auth  .*\)/\1/p' "$PROJECT/dist/faillock.conf"
		printf '%s include common-%s\n' account account session session password password
	} >/etc/pam.d/sshd
	[ "$(grep -c '^auth' /etc/pam.d/sshd)" -eq 6 ]
	wrong mona 3 ada 2 root 4
	attempt mona ssh_password mona pw-mona true
	attempt ada ssh_password ada pw-ada true
	attempt root ssh_password root "$ROOT_PASSWORD" true
	attempts_end
	kept_out mona
	got_in ada root
	[ "$(failures ada)" -eq 0 ]
}
