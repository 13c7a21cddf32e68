# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2034
# What the system tests share. Runs in a test host; PROJECT and BUILD (relative to it) come from tests/system/run.

STORE=/srv/hexabot/hexabot.sqlite
CONF=/etc/hexabot/hexabot.conf
MAP=/var/lib/hexactl/map.1
MODULE=/lib/$(cc -print-multiarch)/security/pam_hexabot.so
LOG=/var/log/auth.log
HERE=$PROJECT/tests/system

# Every password of a test begins with "pw-" or is adminadmin: no log may hold either. See teardown below.
LARS_PASSWORD=pw-lars-local
ROOT_PASSWORD=pw-root-local

# ---- the host ----

host_setup() { # modules, NSS, PAM stacks, a local user, log, sshd: a host as README has it, without a store
	host_sanitizers
	make -s -o all -C "$PROJECT" BUILD="$BUILD" install
	sed -i -E 's/^(passwd|group|shadow):.*/\1: files hexabot/' /etc/nsswitch.conf
	DEBIAN_FRONTEND=noninteractive pam-auth-update --force --package --enable hexabot hexabot-password </dev/null
	host_people
	host_sshd
}

host_people() { # a log, and who has been on the host all along
	start "$PROJECT/$BUILD/tests/logd" "$LOG"
	useradd --create-home --shell /bin/bash lars
	useradd --system --home-dir /srv/hexabot --shell /usr/sbin/nologin hexabot
	printf '%s\n' "lars:$LARS_PASSWORD" "root:$ROOT_PASSWORD" | chpasswd
	printf '%s\n' 'Defaults passwd_tries=1' '%hexabot-admin ALL=(ALL) ALL' >/etc/sudoers.d/hexabot
}

host_sanitizers() { # does nothing unless the modules were built with -fsanitize
	local modules=("$PROJECT/$BUILD"/{pam_hexabot.so,libnss_hexabot.so.2}) runtimes
	grep -q __asan_init "${modules[@]}" || return 0
	runtimes=$(ldd "${modules[@]}" | awk '/lib(asan|ubsan)\.so/ { print $3 }' | sort -u)
	mkdir -m 1777 /tmp/sanitizer
	chmod 1777 /tmp/sanitizer
	printf '%s\n' "$PROJECT/$BUILD/tests/sanitize.so" \
		"${runtimes:-$(clang -print-file-name=libclang_rt.asan-x86_64.so)}" >/etc/ld.so.preload
}

host_sshd() {
	cat >/etc/ssh/sshd_config <<-END
		ListenAddress 127.0.0.1
		HostKey /etc/ssh/ssh_host_ed25519_key
		UsePAM yes
		PasswordAuthentication yes
		KbdInteractiveAuthentication yes
		PermitRootLogin yes
		AuthorizedKeysFile /etc/ssh/authorized_keys
		MaxStartups 200
		PrintMotd no
		UseDNS no
	END
	ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
	cp /root/.ssh/id_ed25519.pub /etc/ssh/authorized_keys # opens every account
	echo "127.0.0.1,localhost $(cat /etc/ssh/ssh_host_ed25519_key.pub)" >/etc/ssh/ssh_known_hosts
	start /usr/sbin/sshd
}

start() { # a daemon that goes to the background by itself; bats waits for whoever keeps its descriptors
	"$@" >/dev/null 2>&1 </dev/null 3>&- 4>&-
}

# The database that a real Hexabot wrote where it is at hand, else rows of our own with the same people in it.
store_make() {
	local fixture=$PROJECT/../shared/fixtures/hexabot-3.5.0-mixed.sqlite
	mkdir /srv/hexabot
	if [ -f "$fixture" ]; then
		cp "$fixture" "$STORE"
	else
		sqlite3 -bail "$STORE" <"$PROJECT/tests/data/mixed.sql"
	fi
	chown hexabot: "$STORE" /srv/hexabot
	chmod 640 "$STORE"
}

store_setup() { # a host with a store: what most files begin with
	host_setup
	store_make
	hexactl init --store "$STORE"
}

sql() { # as Hexabot itself would
	as hexabot sqlite3 -bail -cmd '.timeout 5000' "$STORE" "$@"
}

sql_role() { # add|remove USERNAME ROLE
	local pair="SELECT users.id, roles.id FROM users, roles WHERE username = '$2' AND name = '$3'"
	case $1 in
	add) sql "INSERT INTO user_roles (user_id, role_id) $pair" ;;
	remove) sql "DELETE FROM user_roles WHERE (user_id, role_id) IN ($pair)" ;;
	esac
}

sql_user() { # USERNAME ROLE: a new, enabled user with mona's password
	local id
	id=$(cat /proc/sys/kernel/random/uuid)
	sql "INSERT INTO users (id, created_at, updated_at, firstName, lastName, type, provider, username, email, state, password)
		SELECT '$id', created_at, updated_at, 'New', 'User', type, provider, '$1', '$id@example.org', 1, password
		FROM users WHERE username = 'mona'"
	sql_role add "$1" "$2"
}

sql_open() { # SQL: another process of Hexabot's user runs it and stays, with whatever it locks, until sql_kill
	local hexabot
	hexabot=$(id -u hexabot)
	rm -f /tmp/sql.{in,out}
	mkfifo /tmp/sql.in
	(exec setpriv --reuid "$hexabot" --clear-groups sqlite3 "$STORE" </tmp/sql.in >/tmp/sql.out 3>&- 4>&-) &
	SQL_PROCESS=$!
	exec 7>/tmp/sql.in
	echo "$1; SELECT 'done';" >&7
	until_true 10 grep -q 'done' /tmp/sql.out
}

sql_kill() {
	kill -KILL "$SQL_PROCESS"
	exec 7>&-
	wait "$SQL_PROCESS" || true
}

json_fits() { # SCHEMA CMD...: what CMD prints
	"${@:2}" | "$PROJECT/$BUILD/tests/json_schema" "$PROJECT/tests/schema/$1.json"
}

# ---- people at the door: each prints what CMD prints, and fails if it did not get in ----

as() { # USER CMD...: no PAM involved
	setpriv --reuid "$1" --regid "$(id -g "$1")" --init-groups "${@:2}"
}

ssh_to() { # METHOD USER CMD...: with the password in SSHPASS
	sshpass -e ssh -o ConnectTimeout=10 -o NumberOfPasswordPrompts=1 -o PreferredAuthentications="$1" \
		-o PubkeyAuthentication=no -l "$2" 127.0.0.1 "${@:3}"
}

ssh_password() { # USER PASSWORD CMD...
	SSHPASS=$2 ssh_to password "$1" "${@:3}"
}

ssh_kbd() { # USER PASSWORD CMD...
	SSHPASS=$2 ssh_to keyboard-interactive "$1" "${@:3}"
}

ssh_key() { # USER CMD...
	ssh -o ConnectTimeout=10 -o BatchMode=yes -o PreferredAuthentications=publickey -l "$1" 127.0.0.1 "${@:2}"
}

dialog() { # [PATTERN ANSWER]... -- CMD...
	"$HERE/dialog.exp" "$@"
}

su_as() { # CALLER USER PASSWORD CMD
	dialog 'assword: ' "$3" -- setpriv --reuid "$1" --regid "$(id -g "$1")" --init-groups su - "$2" -c "$4"
}

login_as() { # USER PASSWORD CMD
	dialog 'assword: ' "$2" '[$#] $' "$3; exit" -- login "$1"
}

sudo_as() { # USER PASSWORD CMD...
	as "$1" sudo -S -k -p '' -- "${@:3}" <<<"$2"
}

cron_jobs() { # USER...: lets each user's job run once; it leaves /tmp/cron/USER
	local user
	mkdir -p /tmp/cron
	chmod 1777 /tmp/cron
	rm -f /var/spool/cron/crontabs/*
	for user; do
		echo "@reboot id -un >/tmp/cron/$user" >"/var/spool/cron/crontabs/$user"
		chown "$user:crontab" "/var/spool/cron/crontabs/$user"
		chmod 600 "/var/spool/cron/crontabs/$user"
	done
	rm -f /run/crond.reboot
	start cron
	for user; do
		log_has "\($user\) CMD|\(cron:account\): refused $user " || return
	done
	kill "$(cat /run/crond.pid)"
}

# ---- several attempts at once: a refusal takes pam_unix and su some seconds ----

attempts=()

attempt() { # NAME CMD...: in the background
	(
		status=0 begin=$(date +%s%3N)
		"${@:2}" >"$BATS_TEST_TMPDIR/$1.out" 2>&1 </dev/null || status=$?
		echo $(($(date +%s%3N) - begin)) >"$BATS_TEST_TMPDIR/$1.ms"
		echo "$status" >"$BATS_TEST_TMPDIR/$1.status"
	) 3>&- 4>&- 7>&- &
	attempts+=("$!")
}

attempts_end() {
	wait "${attempts[@]}"
	attempts=()
}

got_in() { # NAME...
	local name
	for name; do
		[ "$(cat "$BATS_TEST_TMPDIR/$name.status")" -eq 0 ] || {
			echo "$name did not get in:"
			cat "$BATS_TEST_TMPDIR/$name.out"
			return 1
		}
	done
}

kept_out() { # NAME...
	local name
	for name; do
		[ "$(cat "$BATS_TEST_TMPDIR/$name.status")" -ne 0 ] || {
			echo "$name got in:"
			cat "$BATS_TEST_TMPDIR/$name.out"
			return 1
		}
	done
}

said() { # NAME REGEX: the attempt's output
	grep -qE "$2" "$BATS_TEST_TMPDIR/$1.out" || {
		echo "$1 said:"
		cat "$BATS_TEST_TMPDIR/$1.out"
		return 1
	}
}

said_not() { # NAME REGEX
	[ "$(grep -cE "$2" "$BATS_TEST_TMPDIR/$1.out")" -eq 0 ]
}

took_less() { # MILLISECONDS NAME...
	local name
	for name in "${@:2}"; do
		[ "$(cat "$BATS_TEST_TMPDIR/$name.ms")" -lt "$1" ] || {
			echo "$name took $(cat "$BATS_TEST_TMPDIR/$name.ms") ms"
			return 1
		}
	done
}

# ---- waiting and looking ----

until_true() { # SECONDS CMD...
	local end=$((SECONDS + $1))
	until "${@:2}"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

log_mark() { # from here on log_since and what builds on it look
	LOG_MARK=$(wc -l <"$LOG")
}

log_since() {
	tail -n +$((LOG_MARK + 1)) "$LOG"
}

log_count() { # REGEX
	log_since | grep -cE -- "$1" || true
}

log_has() { # REGEX: within 5 seconds
	until_true 5 log_matches "$1" && return
	echo "no line of the log matches $1:"
	log_since
	return 1
}

log_matches() { # REGEX
	[ "$(log_count "$1")" -gt 0 ]
}

log_refused() { # SERVICE:STAGE USER REASON [LINES]: that many refusals (1) are in the log, each for that reason
	local refusal="pam_hexabot\($1\): refused $2 from [^ ]*:"
	log_has "$refusal $3" || return
	[ "$(log_count "$refusal $3")" -eq "${4:-1}" ] && [ "$(log_count "$refusal")" -eq "${4:-1}" ] && return
	echo "not exactly ${4:-1} refusals of $2 in $1, $3:"
	log_since
	return 1
}

# What bats runs around every test, unless the file has its own.

setup() {
	log_mark
}

teardown() {
	no_secret_in_log
	no_report_of_sanitizers
}

no_secret_in_log() {
	if log_since | grep -E -e 'pw-' -e adminadmin -e '[$]2[aby!]' -e '([0-9A-HJKMNP-TV-Z]{5}-){4}' -e '/reset/'; then
		echo "a secret is in the log"
		return 1
	fi
}

no_report_of_sanitizers() {
	local reports=(/tmp/sanitizer/report.*)
	[ -e "${reports[0]}" ] || return 0
	cat "${reports[@]}"
	rm "${reports[@]}"
	return 1
}
