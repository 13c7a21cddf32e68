#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Where a password or a code must not turn up: in a log, on stderr, in an argument list, in an environment, in memory once
# it has been used, in a core file. Every test of the others looks through the log, too: see teardown in host.bash.

load host

setup_file() {
	store_setup
	printf '%s required pam_hexabot.so debug\n' auth account password session >/etc/pam.d/remains
	echo 'invite_services = sshd login remains' >>"$CONF"
	sed -i 's/pam_hexabot\.so.*/& debug/' /etc/pam.d/common-*
}

invite_code() { # USERNAME: invites a manager; prints the code
	hexactl invite "$1@example.org" --username "$1" --role manager --print | grep -oE '([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}'
}

nowhere() { # FILE SECRET...
	local secret
	for secret in "${@:2}"; do
		if grep -qF -e "$secret" "$1"; then
			echo "$secret is in $1"
			return 1
		fi
	done
}

watched() { # FILE CMD...: and every program that it starts; their arguments and environments go to FILE
	strace -f -v -s 9999 -e trace=execve,execveat -o "$1" "${@:2}"
}

@test "once PAM's transaction is over, no password and no code is in the memory of the program" {
	local code status=0
	code=$(invite_code gina)
	"$PROJECT/$BUILD/tests/remains" remains >/tmp/remains 2>&1 <<-END || status=$?
		mona pw-mona
		mona pw-mona-is-wrong-here
		mona pw-mona pw-mona-two-is-here
		max pw-max-who-is-disabled
		gina $code pw-gina-has-registered
		gina 0123A-BCDEF-GHJKM-NPQRS-TVWXY
		pia pw-pia-has-no-role pw-pia-has-a-new-one
		nobody-has-this pw-of-nobody-there
		lars $LARS_PASSWORD
		mona pw-mona-two-is-here pw-mona-is-back
	END
	cat /tmp/remains
	[ "$status" -eq 0 ]
	grep -qx 'mona: auth 0, account 0, change 0' /tmp/remains
	grep -qx 'gina: auth 0, account 12, change 0' /tmp/remains
}

@test "a password that stays in memory is found: the search is good" {
	local status=0
	cc -shared -fPIC -x c -o /tmp/pam_keeps.so - -lpam <<-'END'
		#include <security/pam_ext.h>
		#include <security/pam_modules.h>
		#include <string.h>
		int pam_sm_authenticate(pam_handle_t *h, int f, int c, const char **v)
		{
			const char *password;
			(void)f, (void)c, (void)v;
			return pam_get_authtok(h, PAM_AUTHTOK, &password, NULL) == PAM_SUCCESS && strdup(password) != NULL ? PAM_SUCCESS : PAM_AUTH_ERR;
		}
	END
	printf '%s\n' 'auth required /tmp/pam_keeps.so' 'account required pam_permit.so' 'session required pam_permit.so' >/etc/pam.d/keeps
	"$PROJECT/$BUILD/tests/remains" keeps <<<'mona pw-mona' || status=$?
	[ "$status" -eq 1 ]
}

@test "no argument list and no environment of any program has one, nor what sshd and hexactl print" {
	local code file
	code=$(invite_code hugo)
	watched /tmp/sshd.execs /usr/sbin/sshd -D -e -p 2222 -o PidFile=/run/sshd.2222 >/tmp/sshd.err 2>&1 </dev/null 3>&- 4>&- &
	until_true 10 test -e /run/sshd.2222
	dialog 'assword: ' "$code" 'New password: ' pw-hugo-has-this 'etype.*: ' pw-hugo-has-this -- \
		ssh -o PreferredAuthentications=keyboard-interactive -o PubkeyAuthentication=no -p 2222 hugo@127.0.0.1 true
	SSHPASS=pw-mona-is-back sshpass -e ssh -p 2222 -o PubkeyAuthentication=no mona@127.0.0.1 true
	kill "$(cat /run/sshd.2222)"
	wait
	dialog 'assword: ' pw-mona-is-back -- strace -f -v -s 9999 -e trace=execve,execveat -o /tmp/su.execs \
		setpriv --reuid lars --regid lars --init-groups su - mona -c true
	watched /tmp/hexactl.execs hexactl passwd mona --stdin <<<pw-mona-is-back >/tmp/hexactl.out 2>&1
	watched /tmp/locker.execs setpriv --reuid mona --regid hexabot.mona --init-groups pamtester other mona authenticate <<<pw-mona-is-back
	for file in sshd su hexactl locker; do
		[ "$(grep -c execve "/tmp/$file.execs")" -gt 0 ]
		nowhere "/tmp/$file.execs" pw- "$code"
	done
	grep -q hexabot_chkpwd /tmp/locker.execs
	nowhere /tmp/sshd.err pw- "$code"
	nowhere /tmp/hexactl.out pw-
}

@test "no core file of hexactl's: it says so before it opens anything" {
	local secret_file="$STORE|ledger|/etc/hexabot"
	strace -o /tmp/calls -e trace=prctl,openat hexactl list >/dev/null
	[ "$(sed '1,/PR_SET_DUMPABLE, SUID_DUMP_DISABLE/d' /tmp/calls | grep -cE "$secret_file")" -gt 0 ]
	[ "$(sed '/PR_SET_DUMPABLE, SUID_DUMP_DISABLE/,$d' /tmp/calls | grep -cE "$secret_file")" -eq 0 ]
}

@test "nor later: the kernel forgets that with each change of ids" {
	strace -o /tmp/calls -e trace=prctl,setfsuid,openat hexactl list >/dev/null
	[ "$(grep -c '^setfsuid(' /tmp/calls)" -gt 0 ]
	awk -v store="$STORE" '
		/^setfsuid\([0-9]/ { forgotten = 1 }
		/PR_SET_DUMPABLE, SUID_DUMP_DISABLE/ { forgotten = 0 }
		/^openat/ && index($0, store) && forgotten { bad++ }
		END { exit bad > 0 || forgotten }' /tmp/calls
}
