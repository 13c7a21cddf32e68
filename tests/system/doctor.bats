#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC2153
# hexactl doctor: a healthy host is found healthy; each thing that is broken is found, by name, alone, and with a remedy
# that helps.

load host
load mail

ALT=/srv/alt # what is laid over a file for the length of a case: its times are those of before the publish
LEDGER=/var/lib/hexactl/private/ledger.sqlite
FOUND=/tmp/doctor.json

setup_file() {
	store_setup
	mkdir "$ALT"
	mount -t tmpfs alt "$ALT"
	sql "SELECT password FROM users WHERE username = 'admin'" >"$ALT/seed"
}

# What is wrong, as "CHECK:STATUS ...", sorted; nothing is wrong without a remedy, and nothing else has one.
findings() {
	python3 - "$FOUND" <<-'END'
		import json, sys
		report = json.load(open(sys.argv[1]))
		wrong = set()
		for found in report["checks"]:
		    assert (found["remedy"] is not None) == (found["status"] in ("warn", "fail")), found
		    if found["remedy"] is not None:
		        wrong.add(found["check"] + ":" + found["status"])
		for status in ("ok", "skip", "warn", "fail"):
		    assert report[status] == sum(found["status"] == status for found in report["checks"]), status
		assert report["status"] == ("fail" if report["fail"] else "warn" if report["warn"] else "ok")
		print(*sorted(wrong))
	END
}

names() {
	python3 -c 'import json, sys; print(*sorted({found["check"] for found in json.load(open(sys.argv[1]))["checks"]}))' "$FOUND"
}

told() { # CHECK REGEX: it says so, in text or remedy
	python3 -c 'import json, re, sys
lines = [found["text"] + "; " + str(found["remedy"]) for found in json.load(open(sys.argv[1]))["checks"] if found["check"] == sys.argv[2]]
sys.exit(0 if any(re.search(sys.argv[3], line) for line in lines) else f"{sys.argv[2]} says {lines}")' "$FOUND" "$@"
}

finds() { # "CHECK:STATUS ...", sorted: exactly that, and the exit code that goes with it
	local status=0 wanted=0
	hexactl doctor --json >"$FOUND" || status=$?
	[[ $1 != *:fail* ]] || wanted=1
	[ "$(findings)" = "$1" ] && [ "$status" -eq "$wanted" ] && return
	echo "found '$(findings)' with status $status, and not '$1'"
	grep -A 2 -E '"(warn|fail)",$' "$FOUND"
	return 1
}

broken() { # "CHECK:STATUS ..." REGEX BREAK MEND [CHECK]: what is told of it, or of the first; what is left broken shows in the next case
	local check=${5-}
	eval "$3"
	if finds "$1" && told "${check:-${1%%:*}}" "$2"; then
		eval "$4"
		return
	fi
	echo "broken by: $3"
	eval "$4"
	return 1
}

over() { # NAME PATH CMD...: makes ALT/NAME of the file; CMD changes its path at the end
	cp -a "$2" "$ALT/$1"
	"${@:3}" "$ALT/$1"
}

lay() { # NAME PATH
	mount --bind "$ALT/$1" "$2"
}

on_a_volume() { # DIR: as a volume would be
	cp -a "$1" /tmp/volume
	mount -t tmpfs -o "mode=$(stat -c %a "$1"),uid=$(stat -c %u "$1"),gid=$(stat -c %g "$1")" volume "$1"
	cp -a /tmp/volume/. "$1"
	rm -r /tmp/volume
}

resize() { # DIR BYTES: whole blocks of so many bytes are free, and none besides
	mount -o "remount,size=$(($(du -s --block-size=1 "$1" | cut -f 1) + $2 / 4096 * 4096))" "$1"
}

publish_later() { # times of files are seconds to the publisher: what was written in this one may be newer than the map
	local now=$EPOCHSECONDS
	until_true 5 test_later "$now"
	hexactl publish
}

test_later() {
	[ "$EPOCHSECONDS" -gt "$1" ]
}

@test "a new host: what is left to do; done as it says, nothing is left" {
	hexactl doctor --json >"$FOUND" || [ $? -eq 1 ]
	json_fits doctor cat "$FOUND"
	[ "$(findings)" = "container-layer:warn seed-password:fail unmapped:warn watch:warn" ]
	on_a_volume /srv/hexabot
	on_a_volume /var/lib/hexactl
	on_a_volume /etc/hexabot
	echo 'password_cost = 10' >>"$CONF" # it is tried each time
	echo pw-admin-other | hexactl passwd admin --stdin
	told unmapped "odd user has no login.*'hexactl set USER --login NAME'"
	hexactl set 'odd user' --login odd
	told watch "put '(\* \* \* \* \* root /usr/sbin/hexactl watch --once >/dev/null)' into /etc/cron.d/hexabot"
	echo '* * * * * root /usr/sbin/hexactl watch --once >/dev/null' >/etc/cron.d/hexabot
	over conf-typo "$CONF" sed -i '$a shel = /bin/sh'
	over conf-range "$CONF" sed -i '$a uid_max = 2147480000'
	over conf-mail "$CONF" sed -i '$a smtp_url = smtp://localhost:2525\nsmtp_tls = none\nmail_from = hexabot@example.org'
	over conf-login "$CONF" sed -i '$a smtp_url = smtp://localhost:2525\nsmtp_user = me\nsmtp_password_file = /etc/hexabot/password'
	over conf-link "$CONF" sed -i '$a web_url = https://chat.example.org'
	over conf-secret "$CONF" sed -i '$a web_url = https://chat.example.org\nreset_secret_file = /etc/hexabot/password'
	install -m 644 <(echo pw-smtp) /etc/hexabot/password
	over passwd /etc/passwd sed -i "\$a clash:x:$(id -u mona):100::/:/bin/sh"
	sqlite3 "$ALT/other.sqlite" "CREATE TABLE other (n)"
	chown hexabot: "$ALT/other.sqlite"
	chmod 600 "$ALT/other.sqlite"
	publish_later
	finds ""
	hexactl doctor --strict
	hexactl doctor | tail -n 1 | grep -qE '^[0-9]+ ok, [0-9]+ skipped, 0 warnings, 0 failures$'
	hexactl doctor | grep -qE '^ok +store +/srv/hexabot/hexabot.sqlite$'
	names >"$ALT/names"
}

@test "exit codes, --strict, usage; nobody but root" {
	rm /etc/cron.d/hexabot
	hexactl doctor | grep -qE "^warn +watch .*; put '"
	run hexactl doctor --strict
	[ "$status" -eq 1 ]
	run hexactl doctor --mail
	[ "$status" -eq 2 ]
	run hexactl doctor mona
	[ "$status" -eq 2 ]
	run as lars hexactl doctor
	[ "$status" -eq 1 ]
	[[ $output == *'must be run as root'* ]]
	as lars hexactl doctor --help | grep -q -- '--strict'
	echo '* * * * * root /usr/sbin/hexactl watch --once >/dev/null' >/etc/cron.d/hexabot
}

@test "our files: whose, which modes, where" {
	local library=${MODULE%/security/*}/libnss_hexabot.so.2 helper=/usr/libexec/hexabot/hexabot_chkpwd
	broken state-directory:fail 'mode 0700 instead of 0755; .*chmod 0755' 'chmod 700 /var/lib/hexactl' 'chmod 755 /var/lib/hexactl'
	broken state-directory:fail 'private: mode 0755' 'chmod 755 /var/lib/hexactl/private' 'chmod 700 /var/lib/hexactl/private'
	broken state-directory:fail 'private/left: .*mode 0644' 'touch /var/lib/hexactl/private/left' 'rm /var/lib/hexactl/private/left'
	broken 'ledger:fail state-directory:fail' '/var/lib: writable by others .*; chmod go-w it' 'chmod 777 /var/lib' 'chmod 755 /var/lib'
	broken container-layer:warn 'etc/hexabot: .*lost' 'mkdir /tmp/{upper,work}; mount -t overlay -o lowerdir=/etc/hexabot,upperdir=/tmp/upper,workdir=/tmp/work overlay /etc/hexabot' \
		'umount /etc/hexabot'
	broken space:fail '^/srv/hexabot/.*: its file system is full; make room there' 'resize /srv/hexabot 0' 'mount -o remount,size=50% /srv/hexabot'
	broken space:fail '^/var/lib/hexactl: its file system is full; make' 'resize /var/lib/hexactl "$(stat -c %s "$MAP")"' \
		'mount -o remount,size=50% /var/lib/hexactl'
	broken space:fail 'full: it takes no more files' 'mount -o remount,nr_inodes=$(($(df --output=iused /var/lib/hexactl | tail -n 1))) /var/lib/hexactl' \
		'mount -o remount,nr_inodes=100k /var/lib/hexactl'
	broken modules:fail "$MODULE: No such file.*; install it" "mv $(realpath "$MODULE") /srv/module" "mv /srv/module $(realpath "$MODULE")"
	broken modules:fail 'writable by others' "chmod 666 $MODULE" "chmod 644 $MODULE"
	broken modules:fail 'libnss_hexabot.so.2: not everybody may read it.*; chmod 0644' "chmod 640 $library" "chmod 644 $library"
	broken 'modules:fail name-service:fail' 'libnss_hexabot.so.2: No such file' "mv $library /srv/library" "mv /srv/library $library"
	broken chkpwd:warn 'mode 0755 instead of 4755: .*; chmod 4755' "chmod 755 $helper" "chmod 4755 $helper"
	broken chkpwd:fail 'writable by others' "chmod 4777 $helper" "chmod 4755 $helper"
	broken chkpwd:warn 'screen lockers' "mv $helper /srv/helper" "mv /srv/helper $helper"
	finds ""
}

@test "the configuration: a typo, and numbers that are not the ledger's" {
	broken config:fail 'hexabot.conf:[0-9]+: .*shel' "lay conf-typo $CONF" "umount $CONF"
	broken uid-range:fail 'made with .*; set uid_min and uid_max back' "lay conf-range $CONF" "umount $CONF"
	broken config:fail "not there; run 'hexactl init" "mv $CONF /etc/hexabot/away" "mv /etc/hexabot/away $CONF"
	publish_later
	finds ""
}

@test "the store: gone, somebody else's, not Hexabot's, readable or writable by all" {
	broken store:fail 'No such file' "mv $STORE /srv/hexabot/away" "mv /srv/hexabot/away $STORE"
	broken 'store-owner:warn store:fail' "belongs to uid 0" "chown root $STORE" "chown hexabot $STORE"
	broken 'store-owner:fail store:fail' "belongs to uid $(id -u lars)" "chown lars $STORE" "chown hexabot $STORE"
	broken store:fail 'not a Hexabot database' "lay other.sqlite $STORE" "umount $STORE"
	broken store:fail 'hexabot: writable by others.*; chmod o-w' 'chmod o+w /srv/hexabot' 'chmod o-w /srv/hexabot'
	broken store-readable:warn 'password hashes.*; chmod o-r' "chmod o+r $STORE" 'chmod 700 /srv/hexabot' # nobody gets there now
	finds ""
	chmod 755 /srv/hexabot
	chmod o-r "$STORE"
	finds ""
}

@test "locks: nobody is waited for, and who holds one is named" {
	local begin=$EPOCHREALTIME
	broken 'locks:warn store:fail' 'sqlite3 \(process [0-9]+\) goes on' 'sql_open "BEGIN EXCLUSIVE"' sql_kill
	[ "$((${EPOCHREALTIME/./} - ${begin/./}))" -lt 12000000 ]
	told store 'busy: sqlite3 \(process'
	broken locks:warn 'sqlite3 \(process [0-9]+\) goes on holding a lock' 'sql_open "BEGIN; SELECT count(*) FROM users"' sql_kill
	sql "PRAGMA journal_mode = WAL"
	sql_open "BEGIN; SELECT count(*) FROM users" # keeps nobody from anything, in this mode
	finds ""
	told store-journal 'write-ahead log'
	sql_kill
	broken locks:warn 'sqlite3' 'sql_open "BEGIN IMMEDIATE; SELECT 1"' sql_kill
	sql "PRAGMA journal_mode = DELETE"
	finds ""
}

@test "the ledger: damaged, gone, older than the map, of other names" {
	local number
	hexactl publish # an empty log
	over ledger "$LEDGER" python3 -c 'import sys
file = open(sys.argv[1], "r+b")
data = file.read()
file.seek(len(data) // 4096 // 2 * 4096)
file.write(b"\xa5" * 4096)'
	hexactl doctor >/dev/null
	broken ledger:fail 'damaged|malformed' "lay ledger $LEDGER" "umount $LEDGER"
	broken ledger:fail "not there|No such file.*--rebuild-ledger" "mv $LEDGER /var/lib/hexactl/private/.away" "mv /var/lib/hexactl/private/.away $LEDGER"
	number=$(sqlite3 "$LEDGER" "SELECT value FROM meta WHERE key = 'generation'")
	broken map-generation:fail "an old ledger was put back.*; 'hexactl init --rebuild-ledger" \
		"sqlite3 $LEDGER \"UPDATE meta SET value = 1 WHERE key = 'generation'\"" \
		"sqlite3 $LEDGER \"UPDATE meta SET value = $number WHERE key = 'generation'\""
	broken 'map-ledger:fail unmapped:warn' 'such as mona.*refused' \
		"sqlite3 $LEDGER \"UPDATE entries SET number = number + 1 WHERE login = 'mona'\"" \
		"sqlite3 $LEDGER \"UPDATE entries SET number = number - 1 WHERE login = 'mona'\""
	finds ""
}

seed_again() {
	sql "UPDATE users SET password = '$(cat "$ALT/seed")' WHERE username = 'admin'"
}

@test "Hexabot's users: no login, a seed password, a hold half made" {
	broken 'map-fresh:warn unmapped:warn' "'hexactl publish'" 'sql_user sudo manager' true
	told unmapped "sudo has no login: 'sudo' is"
	broken 'map-fresh:warn unmapped:warn' '.' 'for i in {1..11}; do sql_user "x y$i" manager; done' true
	told unmapped '^and 2 more; .*--unmapped'
	sql "DELETE FROM user_roles WHERE user_id IN (SELECT id FROM users WHERE firstName = 'New' AND lastName = 'User')"
	sql "DELETE FROM users WHERE firstName = 'New' AND lastName = 'User'"
	finds ""
	broken seed-password:fail "admin: .*; 'hexactl passwd USER'" seed_again \
		'echo pw-admin-other | hexactl passwd admin --stdin'
	hexactl disable --hold mona
	finds ""
	broken 'holds:warn map-fresh:warn' "mona is held .*; 'hexactl disable --hold USER'" 'sql_role add mona manager' 'hexactl disable --hold mona'
	finds ""
	hexactl enable mona
}

@test "the map: gone, damaged, unreadable, old, of the future" {
	cp -a "$MAP" "$ALT/old"
	hexactl publish
	broken map-generation:fail "the map is of publish.*; run 'hexactl publish'" "cp -a $ALT/old $MAP.new; mv $MAP.new $MAP" 'hexactl publish'
	broken map:fail "not there.*; run 'hexactl publish'" "mv $MAP /srv/map" "mv /srv/map $MAP"
	over bad "$MAP" python3 -c 'import os, sys
file = open(sys.argv[1], "r+b")
file.seek(os.path.getsize(sys.argv[1]) // 2)
byte = file.read(1)[0]
file.seek(-1, 1)
file.write(bytes([byte ^ 0xff]))'
	lay bad "$MAP"
	hexactl doctor --json >"$FOUND" || [ $? -eq 1 ] # what it names depends on the byte
	told map 'damaged'
	umount "$MAP"
	broken map:fail 'only root knows.*; chmod 0444' "chmod 400 $MAP" "chmod 444 $MAP"
	broken map-fresh:warn "have changed since.*; run 'hexactl publish'" 'sql_role add pia operators' 'hexactl publish'
	sql_role remove pia operators
	hexactl publish
	if [ ! -e /etc/ld.so.preload ]; then # the sanitizers' runtime and libfaketime get into each other's way
		broken 'clock:warn map-fresh:warn' 'in the future.*; set the clock' \
			'FAKETIME=+2h LD_PRELOAD=$(find /usr/lib -name libfaketime.so.1) hexactl publish' 'hexactl publish'
	fi
	finds ""
}

@test "the name service: order, stops, what another source has" {
	local conf=/etc/nsswitch.conf
	cp "$conf" "$ALT/nsswitch"
	broken nsswitch:fail "passwd does not ask hexabot; put 'hexabot' behind 'files'" "sed -i 's/^passwd:.*/passwd: files/' $conf" "cp $ALT/nsswitch $conf"
	broken nsswitch:fail "shadow does not ask hexabot" "sed -i '/^shadow:/d' $conf" "cp $ALT/nsswitch $conf"
	broken nsswitch:fail "group does not ask 'files' before" "sed -i 's/^group:.*/group: hexabot files/' $conf" "cp $ALT/nsswitch $conf"
	broken nsswitch:fail "ends before hexabot is asked, at files" "sed -i 's/^passwd:.*/passwd: files [NOTFOUND=return] hexabot/' $conf" "cp $ALT/nsswitch $conf"
	broken nsswitch:fail 'not everybody may read it.*; chmod 0644' "chmod 600 $conf" "chmod 644 $conf" # as by an editor with umask 077
	broken nsswitch:fail "initgroups does not.*; let the line read 'initgroups: files \[SUCCESS=continue\] hexabot'" "echo 'initgroups: files' >>$conf" "cp $ALT/nsswitch $conf"
	broken nsswitch:fail "initgroups ends at 'files'" "echo 'initgroups: files [SUCCESS=continue NOTFOUND=return] hexabot' >>$conf" "cp $ALT/nsswitch $conf"
	broken nsswitch:fail "initgroups ends at 'files'" "echo 'initgroups: files hexabot' >>$conf" \
		"sed -i 's/^initgroups:.*/initgroups: files [SUCCESS=continue] hexabot/' $conf"
	finds ""
	cp "$ALT/nsswitch" $conf
	sed -i 's/^passwd:.*/passwd: compat systemd hexabot/' $conf # as in an older Debian
	finds ""
	cp "$ALT/nsswitch" $conf
	over group /etc/group sed -i "\$a another.admin:x:$(id -u admin):"
	broken 'id-clash:fail map-fresh:warn name-service:fail' "getent group admin" 'lay group /etc/group' 'umount /etc/group' name-service
	broken id-clash:fail "$(id -u mona) of mona is in the host's passwd" 'lay passwd /etc/passwd' 'umount /etc/passwd'
	cc -shared -fPIC -o "${MODULE%/security/*}/libnss_other.so.2" -x c - <<-END
		#include <errno.h>
		#include <nss.h>
		#include <pwd.h>
		enum nss_status _nss_other_getpwuid_r(uid_t uid, struct passwd *pw, char *buffer, size_t size, int *errnop)
		{
			(void)buffer, (void)size, (void)errnop;
			if (uid < $(id -u mona) || uid > $(id -u mona))
				return NSS_STATUS_NOTFOUND;
			*pw = (struct passwd){ "other", "x", uid, 1, "", "/", "/bin/sh" };
			return NSS_STATUS_SUCCESS;
		}
		static int told;
		enum nss_status _nss_other_setpwent(void) { told = 0; return NSS_STATUS_SUCCESS; }
		enum nss_status _nss_other_endpwent(void) { return NSS_STATUS_SUCCESS; }
		enum nss_status _nss_other_getpwent_r(struct passwd *pw, char *buffer, size_t size, int *errnop)
		{
			return told++ ? NSS_STATUS_NOTFOUND : _nss_other_getpwuid_r($(id -u mona), pw, buffer, size, errnop);
		}
	END
	broken id-clash:fail "passwd: 'other' has $(id -u mona)" "sed -i 's/^passwd:.*/& other/' $conf" "cp $ALT/nsswitch $conf"
	broken subordinate-ids:fail 'subuid: lars has 1879048192 to 1879113727' "cp /etc/subuid $ALT; echo lars:1879048192:65536 >>/etc/subuid" "cp $ALT/subuid /etc/subuid"
	finds ""
}

@test "AppArmor, lastlog" {
	mkdir -p /sys/module/apparmor/parameters /etc/apparmor.d/local
	echo Y >/sys/module/apparmor/parameters/enabled
	finds ""
	broken apparmor:warn "put '/var/lib/hexactl/map.\* r,' into /etc/apparmor.d/local/unix-chkpwd" \
		'echo "profile unix-chkpwd /usr/sbin/unix_chkpwd {}" >/etc/apparmor.d/unix-chkpwd' \
		'echo "/var/lib/hexactl/map.* r," >/etc/apparmor.d/local/unix-chkpwd'
	finds ""
	told apparmor 'lets unix_chkpwd read'
	rm /etc/apparmor.d/local/unix-chkpwd
	broken apparmor:warn '' : 'echo "include <abstractions/nameservice>" >>/etc/apparmor.d/unix-chkpwd'
	finds ""
	truncate -s 500G /var/log/lastlog
	finds ""
	told lastlog '^/var/log/lastlog: 0 MB.*512000.*tar --sparse'
	broken lastlog:warn '101 MB.*; .*--dig-holes' 'dd if=/dev/zero of=/var/log/lastlog bs=1M count=101 conv=notrunc status=none' 'fallocate --dig-holes /var/log/lastlog'
	finds ""
}

pam_profiles() { # --enable|--remove PROFILE...
	DEBIAN_FRONTEND=noninteractive pam-auth-update --package "$@" </dev/null
}

@test "PAM: stacks that lack us, let too many in, or too few" {
	local dir=/etc/pam.d page
	broken 'pam-account:fail pam-auth:fail pam-password:fail pam-session:warn' "sshd, login, su.* not in the stack; 'pam-auth-update --enable" \
		'pam_profiles --remove hexabot hexabot-password' 'pam_profiles --enable hexabot hexabot-password'
	cp -a "$dir" "$ALT"
	broken 'pam-account:fail pam-account:warn' "sshd.*disabled users get in" "sed -i '1i account sufficient pam_unix.so' $dir/common-account" "cp $ALT/pam.d/* $dir"
	told pam-account 'common-account, sshd, login, su, sudo, cron: '
	broken pam-auth:fail 'sshd.* use_first_pass, and no line before.*; take that option out' "sed -i '/pam_hexabot.so/s/$/ use_first_pass/' $dir/common-auth" "cp $ALT/pam.d/* $dir"
	broken pam-auth:fail "^su: Hexabot's users get in with a wrong password" "sed -i '1i auth sufficient pam_permit.so' $dir/su" "cp $ALT/pam.d/* $dir"
	broken 'pam-auth:fail pam-auth:warn' "the host's own users don't get in" "sed -i 's/.*pam_hexabot.so.*/auth required pam_hexabot.so/' $dir/common-auth" "cp $ALT/pam.d/* $dir"
	broken pam-account:warn 'if pam_hexabot.so is ever missing' "sed -i '/pam_localuser.so/d' $dir/common-account" "cp $ALT/pam.d/* $dir"
	broken 'pam-account:warn' 'not asked for a password' "sed -i '/pam_hexabot.so/s/new_authtok_reqd=done/new_authtok_reqd=ignore/' $dir/common-account" "cp $ALT/pam.d/* $dir"
	broken pam-password:warn 'before pam_unix.so' "printf 'password %s\n' '[success=2 user_unknown=ignore module_unknown=ignore default=die] pam_hexabot.so' \
		'[success=1 default=ignore] pam_unix.so' 'requisite pam_deny.so' 'required pam_permit.so' >$dir/common-password" "cp $ALT/pam.d/* $dir"
	broken 'pam-account:fail pam-auth:fail pam-password:fail pam-session:fail' 'sshd.* includes not-there.*; put that right' \
		"echo '@include not-there' >>$dir/other" "cp $ALT/pam.d/* $dir"
	broken pam-auth:fail '^sudo: .*sudo:1' "sed -i '1i auth [success=what pam_unix.so' $dir/sudo" "cp $ALT/pam.d/* $dir"
	broken pam-auth:fail '^sudo: .*sudo:1: begins with none of .*; put that right' "sed -i '1i acount optional pam_unix.so' $dir/sudo" "cp $ALT/pam.d/* $dir"
	broken pam-auth:fail '^su: .* not in the stack' "mkdir -p /usr/lib/pam.d; sed 's/^@include common-auth/auth required pam_unix.so/' $dir/su >/usr/lib/pam.d/su; rm $dir/su" \
		"rm /usr/lib/pam.d/su; cp $ALT/pam.d/* $dir"
	broken faillock:warn 'refuses nobody.*; .pam-auth-update' 'pam_profiles --enable hexabot-faillock' \
		'pam_profiles --enable hexabot-faillock-success'
	finds ""
	told faillock 'kept in /var/run/faillock, which a reboot empties'
	cp "$PROJECT/dist/faillock.conf" /etc/security/faillock.conf
	finds ""
	told faillock 'kept in /var/lib/faillock; None'
	broken faillock:warn "local_users_only: none of Hexabot's users" 'echo local_users_only >>/etc/security/faillock.conf' "sed -i '/^local/d' /etc/security/faillock.conf"
	broken faillock:fail '/none: No such file' "sed -i '/pam_faillock.so authsucc/s/\$/ conf=\/none/' $dir/common-auth" "sed -i 's/ conf=.none//' $dir/common-auth"
	pam_profiles --remove hexabot-faillock hexabot-faillock-success
	finds ""
	told faillock 'no lockout'
	# What the manual pages have for sshd alone.
	for page in hexabot.7 pam_hexabot.8; do
		sed -n '/^account  *.success=ok .*\\e$/{s/e$//p;n;p}' "$PROJECT/doc/man/$page" >/tmp/admins-only
		[ "$(wc -l </tmp/admins-only)" -eq 2 ]
		sed -i '/^@include common-account/e cat /tmp/admins-only' $dir/sshd
		finds ""
		cp $ALT/pam.d/* $dir
	done
	broken pam-session:fail "common-session, sshd.*:[0-9]+: pam_gone.so is not there.*; install it, or" \
		"printf 'session %s\n' 'required pam_gone.so' '[success=ok module_unknown=ignore default=bad] pam_selinux_gone.so' >>$dir/common-session" \
		"cp $ALT/pam.d/* $dir"
	# Debian's profile of pam_sss.
	cp "${MODULE%/*}/pam_permit.so" "${MODULE%/*}/pam_sss.so"
	printf 'account %s\n' 'sufficient pam_localuser.so' '[default=bad success=ok user_unknown=ignore] pam_sss.so' >>$dir/common-account
	finds ""
	cp $ALT/pam.d/* $dir
}

@test "sshd: who gets in, and with what" {
	local conf=/etc/ssh/sshd_config
	cp "$conf" "$ALT/sshd"
	broken sshd:fail 'UsePAM no.*; set UsePAM yes' "sed -i 's/^UsePAM.*/UsePAM no/' $conf" "cp $ALT/sshd $conf"
	broken sshd:fail 'MaxAuthTries 0: nobody gets a session; take that out' "sed -i '1iMaxAuthTries 0' $conf" "cp $ALT/sshd $conf"
	broken sshd-passwords:warn 'only keys open.*; set Kbd' "sed -i 's/^\(Password\|KbdInteractive\)Authentication.*/\1Authentication no/' $conf" "cp $ALT/sshd $conf"
	broken sshd-passwords:warn 'AuthenticationMethods.*; add a way' "echo 'AuthenticationMethods publickey' >>$conf" "cp $ALT/sshd $conf"
	broken sshd-allowed:warn 'none of Hexabot.*; add the groups .* to AllowGroups' "echo 'AllowGroups wheel root' >>$conf" "echo 'AllowGroups hexabot-man*' >>$conf"
	finds ""
	told sshd-allowed 'let [1-9][0-9]* of [0-9]+ users in'
	cp "$ALT/sshd" "$conf"
	broken sshd-allowed:warn 'none of Hexabot.*; change AllowUsers' "echo 'AllowUsers lars' >>$conf" "sed -i 's/^AllowUsers.*/AllowUsers lars mona@10.* /' $conf"
	finds ""
	told sshd-allowed 'let 1 of'
	cp "$ALT/sshd" "$conf"
	broken sshd-allowed:warn 'none of Hexabot.*; change DenyGroups' "echo 'DenyGroups hexabot.*' >>$conf" "sed -i '/^DenyGroups/d' $conf"
	cp "$ALT/sshd" "$conf"
	mkdir /var/lib/hexactl/keys
	finds ""
	broken sshd-keys:warn '; add it to AuthorizedKeysFile' 'touch /var/lib/hexactl/keys/mona' \
		"sed -i 's,^AuthorizedKeysFile.*,& /var/lib/hexactl/keys/%u,' $conf"
	finds ""
	broken sshd:warn "sshd -T has no answer; 'sshd -t'" "echo Nonsense >>$conf" "cp $ALT/sshd $conf"
	rm -r /var/lib/hexactl/keys
	sed -i '/^MaxStartups/d' "$conf"
	finds ""
	told sshd-startups '^MaxStartups 10:30:100: logins are dropped'
	cp "$ALT/sshd" "$conf"
	mv /usr/sbin/sshd /srv/sshd
	finds ""
	told sshd 'not installed'
	mv /srv/sshd /usr/sbin/sshd
}

watch_in() { # CMD...: starts it; it has become hexactl, or python
	("$@" >/dev/null 2>&1 3>&- 4>&- & echo $! >/tmp/watch.pid)
	until_true 10 grep -qE "^($WATCHED)$" "/proc/$(cat /tmp/watch.pid)/comm"
}

watch_stop() {
	kill "$(cat /tmp/watch.pid)"
	until_true 10 test ! -e "/proc/$(cat /tmp/watch.pid)"
}

sudo_runs() {
	grep -qsx sudo /proc/[0-9]*/comm
}

no_sudo_runs() {
	! sudo_runs
}

sudo_calls_itself_hexactl() { # and waits for a password
	(SHELL=/bin/bash setpriv --reuid "$(id -u lars)" --regid "$(id -g lars)" --clear-groups \
		script -qc 'exec -a hexactl sudo watch' /dev/null < <(sleep 60) >/dev/null 2>&1 & echo $! >/tmp/watch.pid) 3>&- 4>&-
	until_true 10 sudo_runs
}

@test "what publishes, and who runs what was replaced" {
	local drop_in=/etc/systemd/system/hexabot-publish.service.d/store.conf library WATCHED=hexactl
	library=$(realpath "${MODULE%/security/*}/libnss_hexabot.so.2")
	broken watch:warn "nobody publishes" 'rm /etc/cron.d/hexabot' 'watch_in hexactl watch'
	finds ""
	told watch "'hexactl watch' runs \(process $(cat /tmp/watch.pid)\)"
	told watch-mount 'has the same /srv/hexabot'
	watch_stop
	cp -a /srv/hexabot "$ALT/replaced"
	broken watch-mount:fail "was replaced.*; 'systemctl restart" \
		"watch_in unshare --mount sh -c 'mount --bind $ALT/replaced /srv/hexabot && exec hexactl watch'" watch_stop
	echo 'import time; time.sleep(1000)' >/tmp/watch # a user's process that calls itself that is none
	broken watch:warn nobody "WATCHED=python3 watch_in setpriv --reuid $(id -u lars) --clear-groups bash -c 'cd /tmp && exec -a hexactl python3 watch'" watch_stop
	broken watch:warn nobody sudo_calls_itself_hexactl "watch_stop; until_true 10 no_sudo_runs" # nor is one of root's that a user starts
	echo '* * * * * root /usr/sbin/hexactl watch --once >/dev/null' >/etc/cron.d/hexabot
	broken watch:warn 'cron takes no line of it; chown root: /etc/cron.d/hexabot, chmod 644' 'chmod 664 /etc/cron.d/hexabot' 'chmod 644 /etc/cron.d/hexabot'
	broken watch:warn 'cron takes no line of it' 'chown lars /etc/cron.d/hexabot' 'chown root: /etc/cron.d/hexabot'
	broken watch:warn nobody 'mv /etc/cron.d/hexabot /tmp/cron.d; mkfifo /etc/cron.d/hexabot' 'mv /tmp/cron.d /etc/cron.d/hexabot' # nobody waits for it
	broken watch-drop-in:fail "for another store.*; run 'hexactl init" "sed -i 's,/srv/hexabot,/srv/elsewhere,' $drop_in" "sed -i 's,/srv/elsewhere,/srv/hexabot,' $drop_in"
	WATCHED=python3
	watch_in python3 -c 'import pwd, time; pwd.getpwnam("mona"); open("/tmp/known", "w"); time.sleep(1000)'
	until_true 10 test -e /tmp/known
	broken replaced-modules:warn "python3 \(process $(cat /tmp/watch.pid)\): still running.*; restart" "cp $library $library.new; mv $library.new $library" watch_stop
	finds ""
}

@test "mail: what is set is looked at, and --mail sends" {
	broken mail:fail 'password: readable by others.*; chmod 600' "lay conf-login $CONF" "umount $CONF"
	broken web-link:fail 'web_url is set without .*nobody can be invited' "lay conf-link $CONF" "umount $CONF"
	broken web-link:fail 'readable by others.*; chmod 600' "lay conf-secret $CONF" "umount $CONF"
	run hexactl doctor --mail admin@example.org
	[ "$status" -eq 1 ]
	grep -E '^fail +mail +.*smtp_url' <<<"$output"
	lay conf-mail "$CONF"
	finds ""
	run hexactl doctor --mail admin@example.org
	[ "$status" -eq 1 ]
	grep -E '^fail +mail +mail to admin@example.org: localhost: .*is it running' <<<"$output"
	smtp_start plain 2525
	hexactl doctor --mail admin@example.org | grep -E '^ok +mail +smtp://localhost:2525 has taken a test mail'
	mail_strict "$(mail_last plain)"
	run hexactl doctor --mail 'two words'
	[ "$status" -eq 1 ]
	smtp_stop plain
	umount "$CONF"
	finds ""
}

@test "all at once: it tells what it can, and every check has its word" {
	mv "$CONF" /srv/conf
	mv /var/lib/hexactl/private /srv/private
	mv "$MAP" /srv/map
	mv "$STORE" /srv/store
	mv /etc/nsswitch.conf /etc/pam.d /etc/ssh /srv
	finds "config:fail ledger:fail map:fail nsswitch:fail sshd:warn state-directory:fail"
	[ "$(names)" = "$(cat "$ALT/names")" ]
}
