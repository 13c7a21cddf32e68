#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016
# What runs when somebody is disabled, loses a role or is erased: said, or ended with --now; nobody else's is touched.

load host

setup_file() {
	store_setup
	mkdir -m 1777 /tmp/p
	cat >/tmp/leaderless.c <<-'END'
		#include <pthread.h>
		#include <signal.h>
		#include <unistd.h>
		static void *stay(void *nothing) { for (;;) pause(); return nothing; }
		int main(void) {
			pthread_t thread;
			signal(SIGHUP, SIG_IGN);
			signal(SIGTERM, SIG_IGN);
			pthread_create(&thread, NULL, stay, NULL);
			pthread_exit(NULL);
		}
	END
	cc -o /tmp/leaderless /tmp/leaderless.c -pthread
	# One generation after the other, none of which lives long; and those that stay and hear nothing.
	cat >/tmp/bomb <<-'END'
		$SIG{HUP} = $SIG{TERM} = $SIG{CHLD} = 'IGNORE';
		for (1 .. 6) { last if !fork }
		while (1) { my $child = fork; exit if $child; open F, ">/tmp/p/bomb"; close F; select undef, undef, undef, 0.002 }
	END
	echo 'trap "" HUP TERM; while :; do sleep 1; done' >/tmp/deaf
	sql_user olga manager
	hexactl publish
	as_open lars lars sleep 1000
	as_open root root sleep 1000
	as_open acting root perl -e '$) = $> = getpwnam "mona"; sleep 1000' # root, who only acts for mona
}

remember() { # NAME CMD...: runs it, and leaves its pid in /tmp/p/NAME
	exec bash -c 'echo $$ >"/tmp/p/$0"; exec "$@"' "$@"
}

ssh_open() { # NAME USER SCRIPT [OPTION...]: runs SCRIPT over ssh, and stays; /tmp/p/NAME.ended has the client's status
	rm -f "/tmp/p/$1".{in,out,ended}
	mkfifo "/tmp/p/$1.in"
	(
		result=0
		ssh -o BatchMode=yes "${@:4}" -l "$2" 127.0.0.1 "$3" <>"/tmp/p/$1.in" >"/tmp/p/$1.out" 2>&1 || result=$?
		echo "$result" >"/tmp/p/$1.ended"
	) >/dev/null 2>&1 3>&- 4>&- &
}

as_open() { # NAME USER CMD...: without a session of sshd's
	rm -f "/tmp/p/$1"
	(remember "$1" setpriv --reuid "$2" --regid "$(id -g "$2")" --init-groups "${@:3}") >/dev/null 2>&1 </dev/null 3>&- 4>&- &
	until_true 10 started_as "$1" "$2"
}

started_as() { # NAME USER
	[ -s "/tmp/p/$1" ] && [ "$(awk '/^Uid:/ { print $2 }' "/proc/$(cat "/tmp/p/$1")/status" 2>/dev/null)" = "$(id -u "$2")" ]
}

runs() { # NAME: its process
	[ -s "/tmp/p/$1" ] && kill -0 "$(cat "/tmp/p/$1")" 2>/dev/null && ! grep -q '^State:.*[ZX] (' "/proc/$(cat "/tmp/p/$1")/status"
}

gone() { # NAME...
	local name
	for name; do
		if runs "$name"; then
			echo "$name still runs"
			return 1
		fi
	done
}

nothing_of() { # UID: alive
	! awk -v uid="$1" 'FNR == 1 { dead = 0 } /^State:.[ZX]/ { dead = 1 } /^Uid:/ && ($2 == uid || $4 == uid) && !dead { found = 1; exit }
		END { exit !found }' /proc/[0-9]*/status 2>/dev/null
}

no_hexactl() { # runs
	! grep -qsx hexactl /proc/[0-9]*/comm
}

exits() { # STATUS CMD...
	run "${@:2}"
	echo "$output"
	[ "$status" -eq "$1" ]
}

bystanders_run() {
	local name
	for name in lars root acting ada; do
		runs "$name" || {
			echo "$name does not run any more"
			return 1
		}
	done
}

@test "disable says which sessions still run, by what hangs together, and ends none" {
	as_open ada ada sleep 1000
	ssh_open shell mona 'echo $$ >/tmp/p/shell; sleep 1000 & sleep 1000 & wait' -tt
	until_true 10 runs shell
	as_open alone mona setsid sleep 1000
	exits 0 hexactl disable mona
	[[ $output == *'mona: disabled'*'mona: 2 sessions ('*' processes) still running; the same with --now ends what runs'* ]]
	[[ $output == *'  sshd (process '*', pts/'*', since 20'*'; 4 processes)'* ]]
	[[ $output == *"  sleep (process $(cat /tmp/p/alone), since 20"*'; 1 process)'* ]]
	exits 0 hexactl disable mona
	[ "$output" = 'hexactl: mona: already disabled' ]
	exits 0 hexactl disable mona --now --dry-run
	[[ $output == *'mona: would be ended: 2 sessions (5 processes)'* ]]
	runs shell
	runs alone
	exits 0 hexactl disable pia
	[ "$output" = 'pia: disabled' ]
	hexactl enable pia
}

@test "disable --now of who is disabled already ends them: that is the second try" {
	exits 0 hexactl disable mona --now --json
	"$PROJECT/$BUILD/tests/json_schema" "$PROJECT/tests/schema/change.json" <<<"$output"
	[[ $output == *'"sessions": 2,'*'"processes": 5,'*'"ended": true'* ]]
	gone shell alone
	until_true 5 test -s /tmp/p/shell.ended
	exits 0 hexactl disable mona --now
	[[ $output == *'mona: no session runs'* ]]
	bystanders_run
	hexactl enable mona
}

@test "disable --now ends everything that a user can leave behind, of several users at once" {
	ssh_open shell mona 'echo $$ >/tmp/p/shell; setsid nohup sleep 1000 >/dev/null 2>&1 & echo $! >/tmp/p/background; exec bash -i' -tt
	ssh_open prompt mona 'echo $$ >/tmp/p/prompt; su lars; sleep 1000' -tt
	ssh -o BatchMode=yes -fMN -S /tmp/mux -l mona 127.0.0.1 >/dev/null 2>&1 3>&- 4>&-
	ssh_open muxed mona 'echo $$ >/tmp/p/muxed; exec sleep 1000' -S /tmp/mux
	as_open deaf mona bash /tmp/deaf
	as_open stopped mona bash -c 'kill -STOP $$; sleep 1000'
	as_open leaderless mona /tmp/leaderless
	as_open deafpia pia bash /tmp/deaf
	as_open plain olga sleep 1000
	(ulimit -u 60 && as mona perl /tmp/bomb) >/dev/null 2>&1 </dev/null 3>&- 4>&- &
	until_true 10 runs shell
	until_true 10 runs muxed
	until_true 10 grep -q assword /tmp/p/prompt.out
	until_true 20 test -e /tmp/p/bomb
	until_true 5 grep -q '^State:.T' "/proc/$(cat /tmp/p/stopped)/status"
	exits 0 hexactl disable mona pia olga --now
	[[ $output == *'mona: ended '*' sessions ('* ]]
	[[ $output == *'pia: ended 1 session ('* ]]
	[[ $output == *"olga: ended 1 session (1 process)"* ]]
	[ "$(grep -c stays: <<<"$output")" -eq 0 ]
	rm /tmp/p/bomb
	nothing_of "$(id -u mona)"
	nothing_of "$(id -u pia)"
	gone shell background prompt muxed deaf stopped leaderless deafpia plain
	until_true 5 test -s /tmp/p/shell.ended
	until_true 5 test ! -e /tmp/mux
	[ ! -e /tmp/p/bomb ] # it would be there again
	bystanders_run
	hexactl enable mona pia olga
}

@test "who has the user's uid as the effective one only, by a set-uid program and another's help, is found and ended" {
	cat >/tmp/aside.c <<-'END'
		#include <unistd.h>
		int main(void) {
			if (setresuid(getuid(), geteuid(), getuid()) != 0)
				return 1;
			for (;;) pause();
		}
	END
	cc -D_GNU_SOURCE -o /tmp/aside /tmp/aside.c
	chown mona: /tmp/aside
	chmod 4755 /tmp/aside
	as_open aside lars /tmp/aside
	until_true 5 grep -qP "^Uid:\t$(id -u lars)\t$(id -u mona)\t$(id -u lars)\t" "/proc/$(cat /tmp/p/aside)/status"
	exits 0 hexactl disable mona
	[[ $output == *'mona: 1 session (1 process) still running'* ]]
	exits 0 hexactl disable mona --now
	[[ $output == *"mona: ended 1 session (1 process)"*"aside (process $(cat /tmp/p/aside), since "* ]]
	gone aside
	bystanders_run
	hexactl enable mona
}

@test "who was let in before, and keeps sshd from opening the session, is told of; it is no success" {
	[ -e /proc/self/loginuid ] || return 0 # nothing tells who was let in
	grep -q user_readenv /etc/pam.d/sshd
	ssh_key mona true
	as mona mkfifo -m 666 /home/mona/.pam_environment
	ssh_open late mona 'echo $$ >/tmp/p/late; exec sleep 1000'
	until_true 10 is_opening mona
	exits 1 hexactl disable mona --now --json
	[[ $output == *"hexactl: mona: sshd (process $(monitor_of mona)"*' may open the session yet: kill it, and run the same again'* ]]
	[[ $output == *'"ended": false'* ]]
	as mona bash -c 'echo >~mona/.pam_environment; echo >~mona/.pam_environment' >/dev/null 2>&1 3>&- 4>&- &
	until_true 10 runs late
	exits 0 hexactl disable mona --now
	gone late
	rm /home/mona/.pam_environment
	hexactl enable mona
}

monitor_of() { # USER: root's sshd that opens the session. Not by pgrep, which sanitizers keep from coming back.
	grep -laE "^sshd: $1 \[priv\]" /proc/[0-9]*/cmdline 2>/dev/null | cut -d / -f 3
}

is_opening() { # USER: a session; sshd has set the login uid, and runs nothing of the user's
	local monitor
	monitor=$(monitor_of "$1") && [ -n "$monitor" ] && [ "$(cat "/proc/$monitor/loginuid")" = "$(id -u "$1")" ] && nothing_of "$(id -u "$1")"
}

@test "one thread that lives on when the first has ended is found" {
	as_open leaderless mona /tmp/leaderless
	until_true 5 grep -q '^State:.Z' "/proc/$(cat /tmp/p/leaderless)/status"
	exits 0 hexactl disable mona
	[[ $output == *'mona: 1 session (1 process) still running'* ]]
	exits 0 hexactl disable mona --now
	[[ $output == *'mona: ended 1 session (1 process)'* ]]
	[ ! -e "/proc/$(cat /tmp/p/leaderless)/task" ] || [ "$(find "/proc/$(cat /tmp/p/leaderless)/task" -mindepth 1 -maxdepth 1 | wc -l)" -le 1 ]
	hexactl enable mona
}

@test "a role: what keeps the old groups is said, and ended with --now; the next login has the new ones" {
	sql_role add mona operators
	hexactl publish
	as_open old mona sleep 1000
	exits 0 hexactl role remove mona operators
	[[ $output == *'mona: given the roles manager'*'mona: 1 session (1 process) still running keep the groups they had; the same with --now ends what runs'* ]]
	runs old
	exits 0 hexactl role set mona manager --now
	[[ $output == *'already has the roles manager'*'mona: ended 1 session (1 process)'* ]]
	gone old
	as_open old mona sleep 1000
	exits 0 hexactl role add mona operators --now
	[[ $output == *'mona: ended 1 session'* ]]
	gone old
	[[ $(ssh_key mona id -Gn) == *hexabot-operators* ]]
	hexactl role remove mona operators
}

@test "a root shell that began in the session is told of and left; so is a daemon restarted from there" {
	ssh_open shell ada 'echo pw-ada | sudo -S -p "" bash -c "trap \"\" HUP TERM; echo \$\$ >/tmp/p/rootshell; setsid sleep 1000 & echo \$! >/tmp/p/daemon; wait"'
	until_true 10 runs daemon
	exits 0 hexactl disable ada --now
	[[ $output == *'ada: ended '* ]]
	[[ $output == *"stays: sleep (process $(cat /tmp/p/daemon), of uid 0), which began in a session of ada"* ]]
	[[ $output == *"(process $(cat /tmp/p/rootshell), of uid 0)"* ]]
	runs rootshell
	runs daemon
	nothing_of "$(id -u ada)"
	kill -KILL "$(cat /tmp/p/rootshell)" "$(cat /tmp/p/daemon)"
	hexactl enable ada
	as_open ada ada sleep 1000
}

@test "an administrator who ends themselves: hexactl outlives their terminal, and finishes" {
	as_open deaf ada bash /tmp/deaf
	ssh_open self ada 'echo $$ >/tmp/p/self; sudo hexactl disable ada --now --force --json >/tmp/p/self.json; sleep 1000' -tt
	until_true 10 grep -q assword /tmp/p/self.out
	echo pw-ada >/tmp/p/self.in
	until_true 20 test -s /tmp/p/self.ended
	until_true 20 json_fits change cat /tmp/p/self.json 2>/dev/null
	cat /tmp/p/self.json
	grep -q '"after": "disabled"' /tmp/p/self.json
	grep -q '"ended": true' /tmp/p/self.json
	until_true 20 no_hexactl
	nothing_of "$(id -u ada)"
	[ "$(getent shadow ada | cut -d : -f 2,8)" = '!*:1' ]
	hexactl enable ada
	as_open ada ada sleep 1000
}

@test "nor does su, which takes what it runs along when it is ended, keep anything alive" {
	as_open deaf ada bash /tmp/deaf
	ssh_open self ada "su -c '/usr/sbin/hexactl disable ada --now --force' root" -tt
	until_true 10 grep -q assword /tmp/p/self.out
	echo "$ROOT_PASSWORD" >/tmp/p/self.in
	until_true 20 test -s /tmp/p/self.ended
	until_true 20 nothing_of "$(id -u ada)"
	gone deaf
	until_true 20 no_hexactl # whose last look is yet to come
	hexactl enable ada
	as_open ada ada sleep 1000
}

@test "--hold says what it leaves, and ends what runs although Hexabot's row can't be read" {
	as_open alone mona sleep 1000
	mkdir -p /home/mona/.ssh /var/lib/systemd/linger
	touch /home/mona/.ssh/authorized_keys /var/spool/cron/crontabs/mona /var/lib/systemd/linger/mona
	sql_open 'BEGIN EXCLUSIVE'
	exits 6 timeout 40 hexactl disable --hold --now mona
	sql_kill
	[[ $output == *'mona: held on this host'*'mona: ended 1 session ('*'ended: lingering'*'stays: /home/mona'* ]]
	[[ $output == *'stays: /home/mona/.ssh/authorized_keys'*'stays: /var/spool/cron/crontabs/mona'* ]]
	gone alone
	[ ! -e /var/lib/systemd/linger/mona ]
	exits 0 hexactl disable --hold --now mona
	[[ $output == *'mona: disabled and held'*'parked: '*'mona: no session runs'*'stays: /home/mona'* ]]
	rm /var/spool/cron/crontabs/mona
	hexactl enable mona
}

@test "erase ends what runs before the home goes" {
	as_open writes olga bash -c 'while :; do echo >"/home/olga/$RANDOM"; sleep 0.05; done'
	ssh_key olga true
	exits 0 hexactl erase olga --dry-run
	[[ $output == *'olga: would be erased'*'olga: would be ended: 1 session ('*'stays: /home/olga'* ]]
	runs writes
	exits 0 hexactl erase olga --yes --remove-home
	[[ $output == *'olga: erased'*'olga: ended 1 session ('*'stays: other files of uid '* ]]
	gone writes
	[ ! -e /home/olga ]
}

@test "a number that has come to be the host's own is left alone" {
	local uid
	uid=$(id -u pia)
	as_open alone pia sleep 1000
	echo "neighbour:x:$uid:$uid::/:/bin/sh" >>/etc/passwd # useradd refuses
	exits 1 hexactl disable pia --now
	[[ $output == *"pia: no process is ended: uid $uid has come to be the host's own"* ]]
	runs alone
	sed -i /^neighbour:/d /etc/passwd
	hexactl publish
	exits 0 hexactl disable pia --now
	gone alone
	hexactl enable pia
}

@test "what can't be ended is named, and makes it exit status 1" {
	local i
	for i in {0..7}; do
		[ -e "/dev/loop$i" ] || mknod "/dev/loop$i" b 7 "$i"
	done
	[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
	truncate -s 16m /tmp/disk
	mkfs.ext4 -q /tmp/disk
	mkdir /disk
	mount -o loop /tmp/disk /disk
	chmod 777 /disk
	fsfreeze --freeze /disk
	as_open waits mona touch /disk/file
	until_true 5 grep -q '^State:.D' "/proc/$(cat /tmp/p/waits)/status"
	run hexactl disable mona --now
	fsfreeze --unfreeze /disk
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"hexactl: mona: touch (process $(cat /tmp/p/waits), state D) does not end; run the same again"* ]]
	until_true 5 gone waits
	umount /disk
	bystanders_run
}
