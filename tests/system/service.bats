#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The service hexabot-publish, under a real systemd: init writes its drop-in and starts it.

load host
load systemd

setup_file() {
	host_setup
	store_make
	systemd_boot
}

teardown_file() {
	systemd_end
}

is_journalled() { # FIELD=VALUE REGEX
	inside journalctl -o cat "$1" | grep -qE "^$2$"
}

is_shadowed() { # USER PASSWORD:EXPIRES
	[ "$(getent shadow "$1" | cut -d : -f 2,8)" = "$2" ]
}

@test "the unit is in order, and hardened" {
	[ -z "$(inside systemd-analyze verify /usr/lib/systemd/system/hexabot-publish.service 2>&1)" ]
	inside systemd-analyze security --threshold=20 --no-pager hexabot-publish.service
	# The file by itself, as a packager would ask.
	systemd-analyze security --offline=yes --threshold=20 --no-pager /usr/lib/systemd/system/hexabot-publish.service
}

@test "without a store it is not started" {
	inside systemctl start hexabot-publish.service
	[ "$(property ActiveState)" = inactive ]
	[ "$(property ConditionResult)" = no ]
}

@test "init starts it, now and at each boot" {
	inside hexactl init --store "$STORE"
	[ "$(property ActiveState)" = active ]
	[ "$(property UnitFileState)" = enabled ]
	[[ $(property ReadWritePaths) == *"/srv/hexabot"* ]]
}

@test "it shows what is done in Hexabot" {
	sql "UPDATE users SET state = 0 WHERE username = 'mona'"
	until_true 10 is_shadowed mona '!*:1'
	sql "UPDATE users SET state = 1 WHERE username = 'mona'"
	until_true 10 is_shadowed mona '*:'
}

@test "the journal has each change with fields, those of others, too" {
	sql "UPDATE users SET state = 0 WHERE username = 'mona'"
	until_true 10 is_journalled HEXABOT_ACTOR=hexabot 'changed mona: .* -> may not log in \(disabled\); .*, by hexabot'
	inside hexactl enable mona
	until_true 10 is_journalled HEXABOT_ACTION=enable 'enable mona: disabled -> enabled, by root'
	inside journalctl -o json HEXABOT_ACTION=enable |
		grep '"HEXABOT_USER":"mona"' | grep '"HEXABOT_BEFORE":"disabled"' | grep '"SYSLOG_FACILITY":"10"' | grep '"_UID":"0"'
}

@test "it takes ssh keys from sshd, and puts them back" {
	local keys=/var/lib/hexactl/keys
	ssh-keygen -q -t ed25519 -N '' -f /srv/key
	inside hexactl key add mona /srv/key.pub
	[ "$(stat -c '%U %G %a' "$keys/mona")" = 'root hexabot.mona 640' ]
	sql "UPDATE users SET state = 0 WHERE username = 'mona'"
	until_true 10 test ! -e "$keys/mona"
	chmod 777 "$keys"
	sql "UPDATE users SET state = 1 WHERE username = 'mona'"
	until_true 10 test -e "$keys/mona"
	[ "$(stat -c '%U %G %a' "$keys" "$keys/mona" | xargs)" = 'root root 711 root hexabot.mona 640' ]
}

@test "it rolls back a journal, in a directory with a difficult name" {
	local directory='/srv/100% "new" data'
	mkdir "$directory"
	mv "$STORE" "$directory/hexabot.sqlite"
	chown hexabot: "$directory"
	inside hexactl init --force --store "$directory/hexabot.sqlite"
	[ "$(property ActiveState)" = active ]
	STORE=$directory/hexabot.sqlite
	sql_open "PRAGMA cache_size = 1; PRAGMA synchronous = OFF; BEGIN IMMEDIATE; UPDATE users SET state = 0"
	[ -s "$STORE-journal" ] # as soon as its writer is gone, the service may have been there
	sql_kill
	touch "$STORE"
	until_true 10 test ! -s "$STORE-journal"
	sql "UPDATE users SET state = 0 WHERE username = 'mona'"
	until_true 10 is_shadowed mona '!*:1'
	sql "UPDATE users SET state = 1 WHERE username = 'mona'"
	until_true 10 is_shadowed mona '*:'
}

@test "a lost directory comes back at the next boot, and nothing in it goes" {
	local before
	before=$(cd /var/lib/hexactl && find . -printf '%p %m %u %i\n' | sort)
	chmod 777 /var/lib/hexactl/private
	touch -d '2 years ago' /var/lib/hexactl/private/lock
	inside systemd-tmpfiles --create --remove --clean --boot
	[ "$(cd /var/lib/hexactl && find . -printf '%p %m %u %i\n' | sort)" = "$before" ]
	inside systemctl stop hexabot-publish.service
	mv /var/lib/hexactl /var/lib/away
	[ -z "$(inside systemd-tmpfiles --create --boot /usr/lib/tmpfiles.d/hexactl.conf 2>&1)" ]
	[ "$(cd /var/lib/hexactl && find . -printf '%p %m %u %g\n' | sort)" = $'. 755 root root\n./private 700 root root' ]
	run inside hexactl list
	[ "$status" -eq 6 ]
	rm -r /var/lib/hexactl
	mv /var/lib/away /var/lib/hexactl
	inside systemctl start hexabot-publish.service
}

@test "doctor sees it run, with another directory than the store's, and not run" {
	local directory='/srv/100% "new" data'
	inside hexactl doctor >/tmp/doctor || true
	grep -E "^ok +watch +.*the service hexabot-publish" /tmp/doctor
	grep -E "^ok +watch-mount " /tmp/doctor
	grep -E "^ok +watch-drop-in " /tmp/doctor
	mv "$directory" /srv/before
	cp -a /srv/before "$directory"
	inside hexactl doctor >/tmp/doctor || true
	grep -E "^fail +watch-mount .*can't write there; 'systemctl restart hexabot-publish'" /tmp/doctor
	inside systemctl restart hexabot-publish
	inside mount --bind /srv/before "$directory"
	inside hexactl doctor >/tmp/doctor || true
	grep -E "^fail +watch-mount .*the directory that was there before" /tmp/doctor
	inside umount "$directory"
	inside hexactl doctor >/tmp/doctor || true
	grep -E "^ok +watch-mount " /tmp/doctor
	inside systemctl stop hexabot-publish
	inside hexactl doctor >/tmp/doctor || true
	grep -E "^warn +watch +.*; 'systemctl enable --now hexabot-publish'" /tmp/doctor
	inside systemctl start hexabot-publish
}

@test "stopping it is clean" {
	inside systemctl stop hexabot-publish.service
	[ "$(property Result)" = success ]
	[ "$(property ExecMainStatus)" = 0 ]
	inside systemctl start hexabot-publish.service
	[ "$(property ActiveState)" = active ]
}
