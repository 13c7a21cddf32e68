#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016
# Ending what runs, where systemd's logind keeps the sessions: the user's own systemd and lingering, too.

load host
load systemd

setup_file() {
	store_setup
	systemd_boot
	inside systemctl start dbus.service systemd-logind.service
	inside mkdir -p /run/sshd
	kill "$(cat /run/sshd.pid)"
	until_true 5 test ! -e /run/sshd.pid
	inside systemctl start ssh.service
}

teardown_file() {
	systemd_end
}

forgotten() { # USER
	[ "$(inside loginctl list-sessions --no-legend | grep -cw "$1")" -eq 0 ]
}

finished() {
	json_fits change inside cat /tmp/self.json 2>/dev/null && inside grep -q '"ended": true' /tmp/self.json
}

@test "lingering, the session's scope and what runs in it end; logind knows of none" {
	inside loginctl enable-linger mona
	(ssh_key mona 'echo $$ >/tmp/mona; sleep 1000') >/dev/null 2>&1 </dev/null 3>&- 4>&- &
	until_true 10 inside test -s /tmp/mona
	# What another left in the scope is logind's to end.
	inside bash -c 'sleep 1000 & echo $! >/tmp/other; cat /tmp/other >"$(find /sys/fs/cgroup/user.slice -name "session-*.scope")/cgroup.procs"' \
		>/dev/null 2>&1 3>&- 4>&-
	run inside hexactl disable mona --now
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *'mona: ended '*'ended: lingering'* ]]
	[ ! -e /var/lib/systemd/linger/mona ]
	until_true 10 forgotten mona
	until_true 10 inside bash -c '! kill -0 "$(cat /tmp/other)" 2>/dev/null'
	hexactl enable mona
}

@test "who ends themselves through sudo, in the scope that logind stops, with something that hears no signal" {
	inside bash -c 'echo "trap \"\" HUP TERM; echo >/tmp/deaf.runs; while :; do sleep 1; done" >/tmp/deaf'
	rm -f /srv/in
	mkfifo /srv/in
	(ssh -tt -o BatchMode=yes -l ada 127.0.0.1 'setsid bash /tmp/deaf & sudo hexactl disable ada --now --force --json >/tmp/self.json; sleep 1000' \
		<>/srv/in >/tmp/self.out 2>&1) >/dev/null 2>&1 3>&- 4>&- &
	until_true 10 grep -q assword /tmp/self.out
	inside test -e /tmp/deaf.runs
	echo pw-ada >/srv/in
	until_true 25 finished
}
