#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# image: image-packages
# shellcheck disable=SC2030,SC2031,SC2153,SC2154
# The Debian packages, from the first unpacking to the purge, on a host with systemd. At every step local users get in, and a
# host that is rid of them is as it was. The tests go on from one to the next. i386 beside amd64: see tests/system/bare.

load host
load systemd

PACKAGES=(hexactl libnss-hexabot libpam-hexabot)

setup_file() {
	export DEBIAN_FRONTEND=noninteractive
	[ -d "$PROJECT/build/deb/map2" ] || {
		echo "build/deb is not there: tests/system/deb" >&2
		return 1
	}
	rm -rf /usr/sbin/policy-rc.d /var/lib/hexactl # which the test host has made
	host_people
	host_sshd
	store_make
	systemd_boot
	host_files | sort >/srv/files.before
	cp -a /etc /srv/etc.before
}

teardown_file() {
	systemd_end
}

host_files() { # what a package or hexactl could have left, each with owner and mode; of /etc the contents, too
	find /etc /usr /var -xdev \( -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache -o -path /var/tmp -o \
		-path /var/log -o -path /var/lib/PackageKit -o -path /etc/ld.so.cache -o -path /etc/.pwd.lock \) -prune -o -printf '%y %m %u:%g %p %l\n'
	find /etc -type f ! -name ld.so.cache ! -name '*-' -exec sha256sum {} +
}

debs() { # [/VARIANT]: DEBS is those of build/deb
	local name
	DEBS=()
	for name in "${PACKAGES[@]}"; do
		DEBS+=("$PROJECT/build/deb${1-}/$name"_*_amd64.deb)
	done
}

apt() { # COMMAND ARGUMENT...
	inside apt-get -q -y -o Dpkg::Use-Pty=0 --no-install-recommends "$@"
}

dpkg_quietly() {
	dpkg "$@" >>"$BATS_FILE_TMPDIR/dpkg.log" 2>&1
}

locals_get_in() {
	attempt lars ssh_password lars "$LARS_PASSWORD" id -un
	attempt root-key ssh_key root id -un
	attempt su su_as lars root "$ROOT_PASSWORD" 'id -un'
	attempts_end
	got_in lars root-key su
	said lars '^lars'
	said su '^root'
}

mona_gets_in() {
	run ssh_password mona pw-mona id -Gn
	[[ "$output" == *"hexabot-manager"* ]]
}

is_as_before() { # FILE...: of /etc
	local file
	for file; do
		diff -r "/srv/etc.before/$file" "/etc/$file"
	done
}

nothing_is_left() { # below /var others may remove something meanwhile
	[ -z "$(host_files | sort | comm -13 /srv/files.before - | tee /dev/stderr)" ]
	[ -z "$(host_files | sort | comm -23 /srv/files.before - | grep -E ' /(etc|usr)/' | tee /dev/stderr)" ]
}

gone() { # whatever state they are in
	dpkg_quietly --purge --force-depends "${PACKAGES[@]}"
}

@test "lintian has nothing to say, but that the set-uid helper is meant" {
	local deb
	run lintian --allow-root --fail-on error,warning "$PROJECT"/build/deb/*.changes
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -v '^N:' <<<"$output")" = "" ]
	debs
	for deb in "${DEBS[@]}"; do
		dpkg-deb --fsys-tarfile "$deb" | tar -xO --wildcards './usr/share/lintian/*/*' 2>/dev/null || true
	done >/tmp/overrides
	[ "$(grep -v '^#' /tmp/overrides)" = "hexactl: elevated-privileges 4755 root/root [usr/libexec/hexabot/hexabot_chkpwd]" ]
}

@test "they are what they should be: debug symbols beside them, libraries for each architecture, hexabot.conf the administrator's" {
	local deb
	cd "$PROJECT/build/deb"
	for deb in "${PACKAGES[@]}"; do
		dpkg-deb -f "$deb"-dbgsym_*_amd64.deb Package
		[ "$(dpkg-deb -I "$deb"_*_amd64.deb conffiles 2>/dev/null | grep -c '^/etc/hexabot')" -eq 0 ]
	done
	[ "$(dpkg-deb -f libpam-hexabot_*_amd64.deb Multi-Arch)" = same ]
	[ "$(dpkg-deb -f libnss-hexabot_*_amd64.deb Multi-Arch)" = same ]
	[ "$(dpkg-deb -f hexactl_*_amd64.deb Multi-Arch)" = foreign ]
	dpkg-deb -f libpam-hexabot_*_amd64.deb Depends | grep -F "hexactl (= $(dpkg-deb -f hexactl_*_amd64.deb Version)), libnss-hexabot (= "
	[ "$(dpkg-deb -c hexactl_*_amd64.deb | awk '/^-rws/ { print $1, $2, $6 }')" = "-rwsr-xr-x root/root ./usr/libexec/hexabot/hexabot_chkpwd" ]
}

@test "each of them alone, unpacked, keeps nobody out, even if its profile is taken up already" {
	local deb
	debs
	for deb in "${DEBS[@]}"; do
		dpkg_quietly --unpack "$deb"
		[ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$(dpkg-deb -f "$deb" Package)")" = "iU " ]
		pam-auth-update --package </dev/null
		locals_get_in
		gone
	done
	nothing_is_left
}

# dpkg renames each file to its name, and each piece of its own database.
@test "dpkg killed in the middle of it keeps nobody out, and goes on when it is run again" {
	local point points
	debs
	strace -o /tmp/renames -e trace=rename dpkg -i "${DEBS[@]}" >>"$BATS_FILE_TMPDIR/dpkg.log" 2>&1
	gone
	points=$(grep -c '^rename' /tmp/renames)
	[ "$points" -gt 50 ]
	# The library is in place; so are module and profiles; it is configured, and nothing else.
	points="$(which_rename 'libnss_hexabot.so.2.dpkg-new') $(which_rename 'hexabot-password.dpkg-new') $((points - 5))"
	[ -z "$LONG" ] || points=$(seq "$(grep -c '^rename' /tmp/renames)")
	for point in $points; do
		run strace -o /dev/null -e trace=rename -e inject="rename:signal=KILL:when=$point" dpkg -i "${DEBS[@]}"
		[ "$status" -eq 137 ]
		locals_get_in
		dpkg_quietly --configure -a || true # what it can do without the packages
		locals_get_in
		dpkg_quietly -i "${DEBS[@]}"
		[ -z "$(dpkg --audit)" ]
		is_set_up
		gone
	done
	nothing_is_left
}

which_rename() { # NAME
	grep '^rename' /tmp/renames | grep -nF "/$1\"" | cut -d : -f 1
}

is_set_up() {
	[ "$(grep -cE '^(passwd|group|shadow):.* hexabot$' /etc/nsswitch.conf)" -eq 3 ]
	grep -q pam_hexabot.so /etc/pam.d/common-auth
	grep -q pam_hexabot.so /etc/pam.d/common-account
	grep -q pam_hexabot.so /etc/pam.d/common-password
}

@test "an installation that is cut off between the lines of nsswitch.conf, or between the stacks, keeps nobody out" {
	local point
	debs
	dpkg_quietly --unpack "${DEBS[@]}"
	sed -i '/^passwd:/ s/$/ hexabot/' /etc/nsswitch.conf
	locals_get_in
	dpkg_quietly --configure hexactl libnss-hexabot
	[ "$(grep -cE '^(passwd|group|shadow):.* hexabot$' /etc/nsswitch.conf)" -eq 3 ]
	gone
	for point in /etc/pam.d/common-{auth,account}.pam-new; do
		profiles_killed "$point"
		locals_get_in
		dpkg_quietly --configure -a
		is_set_up
		gone
	done
	nothing_is_left
}

profiles_killed() { # FILE: before it gets its name; each stack does, and then pam-auth-update's own copy
	dpkg_quietly --unpack "${DEBS[@]}"
	dpkg_quietly --configure hexactl libnss-hexabot
	run strace -f -o /tmp/renames -e trace=rename -P "$1" -e inject="rename:signal=KILL" pam-auth-update --package </dev/null
	grep -q 'killed by SIGKILL' /tmp/renames
}

@test "where it is cut off between a stack and pam-auth-update's copy of it, the installation says what to do" {
	debs
	profiles_killed /var/lib/pam/auth.new
	locals_get_in
	run dpkg --configure -a
	[ "$status" -eq 0 ]
	[[ "$output" == *"libpam-hexabot: "*"'pam-auth-update --force'"* ]]
	locals_get_in
	pam-auth-update --package --force --enable hexabot hexabot-password </dev/null
	is_set_up
	gone
	cp -a /srv/etc.before/pam.d/common-*.pam-old /etc/pam.d/
	nothing_is_left
}

@test "apt installs them; without a store nobody is there yet, and nothing runs" {
	debs
	apt install "${DEBS[@]}"
	is_set_up
	[ "$(property ActiveState)" = inactive ]
	locals_get_in
	run getent passwd mona
	[ "$status" -eq 2 ]
}

@test "init is all that is left to do" {
	run inside hexactl init --store "$STORE"
	[ "$status" -eq 0 ]
	[[ "$output" != *nsswitch* && "$output" != *pam-auth-update* ]]
	[ "$(property ActiveState)" = active ]
	[ "$(property UnitFileState)" = enabled ]
	mona_gets_in
	locals_get_in
}

@test "doctor finds the seed password and no other fail, explain says who gets in, disable --now ends the session in view" {
	local session
	run inside hexactl doctor
	[ "$status" -eq 1 ]
	[ "$(grep '^fail' <<<"$output" | awk '{ print $2 }')" = seed-password ]
	inside hexactl passwd admin --stdin <<<pw-admin-new
	inside hexactl doctor
	inside hexactl explain mona
	SSHPASS=pw-mona ssh_to password mona 'echo in >/tmp/mona.in; exec sleep 600' 3>&- 4>&- &
	session=$!
	until_true 20 test -s /tmp/mona.in
	hexactl disable --now mona
	wait "$session" || true # as long as it takes
	[ "$(pgrep -c -u mona)" -eq 0 ]
	run inside hexactl explain mona
	[ "$status" -eq 1 ]
	run ssh_password mona pw-mona true
	[ "$status" -ne 0 ]
	inside hexactl enable mona
	mona_gets_in
}

# Looks names up one by one, with the library that it has loaded at its first.
old_process_begins() {
	# shellcheck disable=SC2016
	coproc OLD { exec perl -ne 'BEGIN { $| = 1 } chomp; my @user = getpwnam($_); print $user[0] // "unknown", "\n"' 3>&- 4>&-; }
	old_process_knows mona
}

old_process_knows() { # USER
	local answer
	echo "$1" >&"${OLD[1]}"
	read -r -t 10 answer <&"${OLD[0]}"
	[ "$answer" = "$1" ]
}

old_process_ends() {
	local pid=$OLD_PID
	kill "$pid"
	wait "$pid" || true
}

lookups_begin() { # a new process each time, until they end
	rm -f /tmp/lookups.{end,failed,done}
	(
		while [ ! -e /tmp/lookups.end ]; do
			getent passwd mona >/dev/null || date >>/tmp/lookups.failed
			echo >>/tmp/lookups.done
		done
	) 3>&- 4>&- &
	LOOKUPS=$!
}

lookups_end() {
	touch /tmp/lookups.end
	wait "$LOOKUPS"
	[ ! -e /tmp/lookups.failed ]
	[ "$(wc -l </tmp/lookups.done)" -gt 50 ]
}

upgrade() { # /VARIANT
	local pid
	debs "$1"
	pid=$(property MainPID)
	old_process_begins
	lookups_begin
	apt install "${DEBS[@]}"
	lookups_end
	old_process_knows mona
	old_process_knows ada
	old_process_ends
	[ "$(property ActiveState)" = active ]
	[ "$(property MainPID)" -ne "$pid" ]
	mona_gets_in
	locals_get_in
}

@test "an upgrade: every lookup is answered meanwhile, by old processes and new; the service runs the new program" {
	local before
	before=$(sha256sum "$CONF")
	upgrade /next
	[ "$(dpkg-query -W -f '${Version}' hexactl)" = 0.1.1~test ]
	[ "$(sha256sum "$CONF")" = "$before" ]
}

@test "an upgrade while the store can't be read says what to do, and goes on" {
	mv "$STORE" "$STORE.away"
	run dpkg -i "$PROJECT"/build/deb/next/hexactl_*_amd64.deb
	mv "$STORE.away" "$STORE"
	[ "$status" -eq 0 ]
	[[ "$output" == *"until 'hexactl publish' succeeds"* ]]
	mona_gets_in
}

@test "an upgrade to a map of another format: the same, since hexactl comes first" {
	upgrade /map2
	[ "$(od -An -t u2 -j 24 -N 2 /var/lib/hexactl/map.2 | tr -d ' ')" = 2 ]
	[ -e "$MAP" ]
}

@test "where one of the three is missing, local users come and go" {
	local name
	debs /map2
	for name in "${PACKAGES[@]}"; do
		dpkg_quietly --remove --force-depends "$name"
		locals_get_in
		dpkg_quietly -i "${DEBS[@]}"
		mona_gets_in
	done
}

@test "a stack that the administrator has changed stays as it is, and keeps nobody out when the module goes" {
	cp -a /etc/pam.d /srv/pam.d.managed
	sed -i '0,/^auth/ s/^auth.*/auth optional pam_warn.so\n&/' /etc/pam.d/common-auth
	apt remove libpam-hexabot
	[ ! -e "$MODULE" ]
	grep -q pam_hexabot.so /etc/pam.d/common-account
	locals_get_in
	rm -r /etc/pam.d
	mv /srv/pam.d.managed /etc/pam.d
	debs /map2
	apt install "${DEBS[@]}"
	mona_gets_in
}

@test "removed, the stacks and the name service are as before, state stays, and installing them again is enough" {
	apt remove "${PACKAGES[@]}"
	is_as_before nsswitch.conf pam.d
	[ -s "$CONF" ]
	[ -s /var/lib/hexactl/private/ledger.sqlite ]
	run inside systemctl is-active hexabot-publish.service
	[ "$status" -ne 0 ]
	locals_get_in
	run ssh_password mona pw-mona true
	[ "$status" -ne 0 ]
	debs /map2
	apt install "${DEBS[@]}"
	[ "$(property ActiveState)" = active ]
	mona_gets_in
}

@test "purged, nothing is left but what others have put there: a secret, a copy, databases, the store" {
	local store
	store=$(sha256sum "$STORE")
	install -m 600 /dev/null /etc/hexabot/smtp.secret
	cp "$STORE" /var/lib/hexactl/private/hexabot.sqlite
	cp "$STORE" /var/lib/hexactl/hexabot.sqlite
	cp "$CONF" "$CONF.backup"
	install -d -m 711 /var/lib/hexactl/keys
	echo "ssh-ed25519 AAAA mona" >/var/lib/hexactl/keys/mona
	cp "$STORE" /var/lib/hexactl/keys/hexabot.sqlite
	chmod 640 /var/lib/hexactl/keys/*
	apt purge "${PACKAGES[@]}"
	is_as_before nsswitch.conf pam.d
	locals_get_in
	[ "$(find /etc/hexabot /var/lib/hexactl ! -type d | LC_ALL=C sort | xargs)" = \
		"$(echo "$CONF.backup" /etc/hexabot/smtp.secret /var/lib/hexactl/{,keys/,private/}hexabot.sqlite)" ]
	[ "$(sha256sum "$STORE")" = "$store" ]
	rm -r /etc/hexabot /var/lib/hexactl /home/mona
	nothing_is_left
}
