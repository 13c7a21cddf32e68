#!/bin/bash
# SPDX-License-Identifier: ISC
# demo.sh BUILD: the main job, played with the real programs in a throw-away host. On a terminal it ends in a shell of
# that host. Exit status: 0; 1 if something did not go as the story says; 77 where no such host can be had.
set -euo pipefail

PROJECT=$(cd "$(dirname "$0")/.." && pwd)
export PROJECT

if [ "${2-}" != --inside ]; then
	export BUILD=$1
	"$PROJECT/tests/system/testhost" true || exit
	"$PROJECT/tests/system/image"
	mkdir -p "$PROJECT/$BUILD/tests"
	cc -O2 -o "$PROJECT/$BUILD/tests/logd" "$PROJECT/tests/system/logd.c"
	shown=(--show "$PROJECT")
	[ ! -d "$PROJECT/../shared" ] || shown+=(--show "$(realpath "$PROJECT/../shared")")
	exec "$PROJECT/tests/system/testhost" --image "$PROJECT/build/image" "${shown[@]}" \
		env BUILD="$BUILD" "$PROJECT/tests/demo.sh" "$BUILD" --inside
fi

# shellcheck source=tests/system/host.bash
. "$PROJECT/tests/system/host.bash"
# shellcheck source=tests/system/mail.bash
. "$PROJECT/tests/system/mail.bash"

say() {
	printf '\n# %s\n' "$1"
}

show() { # COMMAND: prints it, runs it
	printf '$ %s\n' "$1"
	bash -c "$1" </dev/null
}

show_refused() { # COMMAND: has to fail
	if show "$1"; then
		echo "demo: that should have been refused" >&2
		exit 1
	fi
}

host_setup
store_make
rm -f /root/.ssh/id_ed25519 /etc/ssh/authorized_keys
printf '%s\n' 'NumberOfPasswordPrompts 1' 'PreferredAuthentications password' >/root/.ssh/config
export SSHPASS=pw-mona

say "A host with sshd, nsswitch.conf and PAM as README sets them up, and Hexabot's database. Adopt it:"
show "hexactl init --store $STORE"

say "Hexabot's people are now users of this host; the enabled managers and admins may log in."
show "hexactl list"
show "getent passwd mona"
show "id mona"

say "mona is a manager. Her Hexabot password opens the host."
show "sshpass -e ssh mona@localhost 'whoami; pwd'"

say "Invite somebody by mail. The server here is a real one, on this host, with STARTTLS and a login."
mail_ca
smtp_start main 2587 --starttls --auth hexabot:pw-smtp
install -m 600 <(echo pw-smtp) /etc/hexabot/smtp-password
mail_conf smtp_url smtp://localhost:2587 smtp_user hexabot smtp_password_file /etc/hexabot/smtp-password \
	smtp_ca_file "$CA/ca.pem" mail_from hexabot@example.org login_host localhost
show "hexactl invite bob@example.org --role manager --first Bob --last Gray"
show "hexactl list --state invited"

say "The mail as it was received, its plain text:"
mail_text "$(mail_last main)" | sed 's/^/    /'

say "He types the code into ssh, chooses a password, and is in. The code is good once."
dialog 'assword: ' "$(mail_code "$(mail_last main)")" 'ew password: ' pw-bob-first 'etype new password: ' pw-bob-first \
	'[$] $' 'id; exit' -- ssh -tt -o PreferredAuthentications=keyboard-interactive bob@localhost |
	grep -v -e '^Linux' -e 'Debian' -e 'permitted by' -e 'the exact dist' -e 'individual files' -e '^.$'
show "SSHPASS=pw-bob-first sshpass -e ssh bob@localhost 'whoami; pwd'"
show "hexactl log bob"

say "Give mona a role: it is a group at the next login."
show "hexactl role add mona operators"
show "sshpass -e ssh mona@localhost 'id -Gn'"

say "Disable her: the very next attempt is refused, and the log says why."
show "hexactl disable mona"
show_refused "sshpass -e ssh mona@localhost true"
show "grep 'refused mona' $LOG"
show "getent shadow mona"

say "The same when somebody disables her in Hexabot itself, here by SQL."
show "hexactl enable mona"
show "sqlite3 $STORE \"UPDATE users SET state = 0 WHERE username = 'mona'\""
show_refused "sshpass -e ssh mona@localhost true"

say "Enabled again, she is back."
show "hexactl enable mona"
show "sshpass -e ssh mona@localhost 'echo in again'"
show "hexactl log mona"

if [ -t 0 ] && [ -t 1 ]; then
	say "A shell in that host. Everybody's password is pw- and the username; 'exit' ends the host."
	exec script -q -c bash /dev/null
fi
