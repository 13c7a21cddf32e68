#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The name service as real programs meet it, through glibc's own dispatch: getent, id, ls, nscd, in other roots and user
# namespaces, with few descriptors, and in processes that were there before.

load host

setup_file() {
	store_setup
}

# ---- a process that stays: it answers each question with NAME:UID:SHELL, or "nobody: ERRNO" ----

resident_start() {
	rm -f /tmp/resident.{in,out}
	mkfifo /tmp/resident.in
	: >/tmp/resident.out
	perl -e '
		use POSIX ();
		$| = 1;
		my @held;
		while (<STDIN>) {
			chomp;
			if ($_ eq "use up") {
				while (defined(my $fd = POSIX::open("/dev/null", POSIX::O_RDONLY()))) { push @held, $fd }
				print "used up: ", $! == POSIX::EMFILE() ? "yes" : "$!", "\n";
			} elsif ($_ eq "release") {
				POSIX::close($_) for @held;
				print "released\n";
			} else {
				my @user = getpwnam($_);
				print @user ? "$user[0]:$user[2]:$user[8]\n" : "nobody: " . ($! + 0) . "\n";
			}
		}' </tmp/resident.in >/tmp/resident.out 3>&- 4>&- &
	RESIDENT=$!
	exec 7>/tmp/resident.in 8</tmp/resident.out
}

resident() { # QUESTION
	local answer=''
	echo "$1" >&7
	until_true 10 resident_answered || return
	echo "$answer"
}

resident_answered() {
	local part
	IFS= read -r -u 8 part || {
		answer+=$part
		return 1
	}
	answer+=$part
}

resident_end() {
	exec 7>&- 8<&-
	wait "$RESIDENT"
}

@test "getent knows a user by name and number, their groups, and their state" {
	local uid role
	uid=$(id -u mona)
	[ "$(getent passwd mona)" = "mona:x:$uid:$uid:Mona Lind:/home/mona:/bin/bash" ]
	[ "$(getent passwd "$uid")" = "$(getent passwd mona)" ]
	[ "$(getent group hexabot.mona)" = "hexabot.mona:x:$uid:" ]
	[ "$(getent group "$uid")" = "hexabot.mona:x:$uid:" ]
	role=$(getent group hexabot-manager)
	[[ ",${role##*:}," == *,mona,* ]]
	[ "$(getent group "$(cut -d : -f 3 <<<"$role")")" = "$role" ]
	[ "$(getent initgroups mona | xargs)" = "mona $(cut -d : -f 3 <<<"$role")" ]
	[ "$(getent shadow mona)" = 'mona:*:::::::' ]
	run getent passwd nobody-of-that-name
	[ "$status" -eq 2 ]
	run getent group 4294967294
	[ "$status" -eq 2 ]
}

@test "getent lists everybody once, after the files" {
	[ "$(getent passwd | head -n "$(wc -l </etc/passwd)")" = "$(cat /etc/passwd)" ]
	[ "$(getent passwd | sort | uniq -d | wc -l)" -eq 0 ]
	[ "$(getent passwd mona ada)" = "$(getent passwd | grep -E '^(mona|ada):' | sort -r)" ]
	[ "$(getent group | grep -c '^hexabot\.mona:')" -eq 1 ]
	[ "$(getent shadow | grep -c '^mona:')" -eq 1 ]
}

@test "id and ls say names; so do find and chown" {
	local uid
	uid=$(id -u mona)
	[ "$(id mona)" = "uid=$uid(mona) gid=$uid(hexabot.mona) groups=$uid(hexabot.mona),$(id -G mona | cut -d ' ' -f 2)(hexabot-manager)" ]
	[ "$(id -un "$uid")" = mona ]
	touch /tmp/mona.file
	chown "$uid:$(getent group hexabot-manager | cut -d : -f 3)" /tmp/mona.file
	# shellcheck disable=SC2012 # ls is what this is about
	[ "$(ls -l /tmp/mona.file | cut -d ' ' -f 3,4)" = 'mona hexabot-manager' ]
	[ "$(find /tmp/mona.file -user mona -group hexabot-manager)" = /tmp/mona.file ]
	chown ada:hexabot.ada /tmp/mona.file
	[ "$(stat -c %u:%g /tmp/mona.file)" = "$(id -u ada):$(id -u ada)" ]
}

@test "who was there before sees each publish at once" {
	resident_start
	[ "$(resident mona)" = "mona:$(id -u mona):/bin/bash" ]
	hexactl set mona --shell /bin/sh
	[ "$(resident mona)" = "mona:$(id -u mona):/bin/sh" ]
	hexactl set mona --shell /bin/bash
	[ "$(resident mona)" = "mona:$(id -u mona):/bin/bash" ]
	[ "$(resident root)" = root:0:/bin/bash ]
	[[ $(resident nobody-of-that-name) == nobody:* ]]
	resident_end
}

@test "who still has the module of the release before goes on beside the next one's map" {
	local library
	library=/usr/lib/$(cc -print-multiarch)/libnss_hexabot.so.2
	resident_start
	[ "$(resident mona)" = "mona:$(id -u mona):/bin/bash" ]
	# As dpkg does it; and the next release's publisher writes both maps.
	echo 'no library' >"$library.new"
	mv "$library" "$library.kept"
	mv "$library.new" "$library"
	echo 'a map of the next major version' >/var/lib/hexactl/map.2
	[ "$(resident ada)" = "ada:$(resident ada | cut -d : -f 2):/bin/bash" ]
	hexactl set mona --shell /bin/sh
	[[ $(resident mona) == mona:*:/bin/sh ]]
	mv "$library.kept" "$library"
	rm /var/lib/hexactl/map.2
	[ "$(resident mona)" = "mona:$(id -u mona):/bin/sh" ]
	hexactl set mona --shell /bin/bash
	resident_end
}

@test "with all descriptors used up it goes on, or says why not, and recovers" {
	resident_start
	[ "$(resident mona)" = "mona:$(id -u mona):/bin/bash" ]
	[ "$(resident 'use up')" = 'used up: yes' ]
	[ "$(resident mona)" = "mona:$(id -u mona):/bin/bash" ]
	hexactl set mona --shell /bin/sh
	[ "$(resident mona)" = 'nobody: 24' ] # EMFILE: not "no such user"
	[ "$(resident release)" = released ]
	[ "$(resident mona)" = "mona:$(id -u mona):/bin/sh" ]
	hexactl set mona --shell /bin/bash
	resident_end
}

@test "one spare descriptor is enough for every program" {
	[ "$(prlimit --nofile=4:4 getent passwd mona root 3>&- 4>&- 7>&- 8>&-)" = "$(getent passwd mona root)" ]
	[ "$(prlimit --nofile=4:4 id -Gn mona 3>&- 4>&- 7>&- 8>&-)" = 'hexabot.mona hexabot-manager' ]
}

@test "in another root without a map only ours are unknown, in the words for that" {
	mkdir /tmp/root
	mount --rbind / /tmp/root
	mount -t tmpfs -o mode=755 none /tmp/root/var/lib/hexactl
	run chroot /tmp/root getent passwd mona
	[ "$status" -eq 2 ]
	run chroot /tmp/root id mona
	[ "$status" -eq 1 ]
	[[ $output == *'no such user'* ]]
	[ "$(chroot /tmp/root getent passwd root lars)" = "$(getent passwd root lars)" ]
	[ "$(chroot /tmp/root getent passwd)" = "$(cat /etc/passwd)" ]
	[ "$(chroot /tmp/root id -Gn lars)" = "$(id -Gn lars)" ]
	touch /tmp/mona.file
	chown mona /tmp/mona.file
	[ "$(chroot /tmp/root ls -l "/tmp/mona.file" | cut -d ' ' -f 3)" = "$(id -u mona)" ]
	umount -R /tmp/root
}

@test "in a user namespace without root the map is trusted" {
	unshare --user true || skip 'user namespaces are not allowed here'
	[ "$(unshare --user stat -c %u "$MAP")" = 65534 ]
	[ "$(unshare --user getent passwd mona)" = "$(getent passwd mona)" ]
	[ "$(unshare --user id -Gn mona)" = 'hexabot.mona hexabot-manager' ]
	[ "$(as mona unshare --user --map-root-user getent passwd ada)" = "$(getent passwd ada)" ]
}

@test "with nscd in between a publish counts at once" {
	local before
	mkdir -p /run/nscd
	start nscd
	until_true 10 nscd -g >/dev/null
	before=$(getent passwd mona)
	id -Gn mona
	# The second time nscd answers: the module is not even loaded.
	[ "$(strace -f -e trace=openat getent passwd mona 2>&1 | grep -c libnss_hexabot)" -eq 0 ]
	[ "$(getent passwd mona)" = "$before" ]
	hexactl set mona --shell /bin/sh
	[ "$(getent passwd mona | cut -d : -f 7)" = /bin/sh ]
	[ "$(getent passwd "$(id -u mona)" | cut -d : -f 7)" = /bin/sh ]
	hexactl role add mona operators
	[[ " $(id -Gn mona) " == *' hexabot-operators '* ]]
	[[ ",$(getent group hexabot-operators | cut -d : -f 4)," == *,mona,* ]]
	hexactl role remove mona operators
	[[ " $(id -Gn mona) " != *' hexabot-operators '* ]]
	hexactl set mona --shell /bin/bash
	[ "$(getent passwd mona)" = "$before" ]
	nscd --shutdown
}
