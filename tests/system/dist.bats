#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What is installed for other programs to read is in their language, and does nothing that nobody has asked for.

load host

EXAMPLES=/usr/share/doc/hexactl/examples

setup_file() {
	make -s -o all -C "$PROJECT" BUILD="$BUILD" install
}

setup() { :; }
teardown() { :; }

parsed() { # PROFILE: as the parser has it with everything included; no kernel is asked
	apparmor_parser --skip-kernel-load --skip-cache --skip-read-cache --preprocess "$1" 2>/dev/null
}

compiled() { # PROFILE
	apparmor_parser --skip-kernel-load --skip-cache --skip-read-cache "$1"
}

@test "AppArmor: who may ask the name service may read the map" {
	printf '%s\n' 'abi <abi/3.0>,' 'include <tunables/global>' \
		'profile unix-chkpwd /{,usr/}sbin/unix_chkpwd {' '  include <abstractions/nameservice>' '}' >/tmp/unix-chkpwd
	compiled /tmp/unix-chkpwd
	parsed /tmp/unix-chkpwd | grep -qxF '/var/lib/hexactl/map.* r,'
	# Nothing else of ours.
	[ "$(parsed /tmp/unix-chkpwd | grep -c '^[^#]*hexactl')" -eq 2 ]
}

@test "AppArmor: the service's profile is one, and complains only" {
	compiled "$EXAMPLES/apparmor-hexabot-publish"
	grep -q '^profile hexabot-publish flags=(complain) {$' "$EXAMPLES/apparmor-hexabot-publish"
	[ ! -e /etc/apparmor.d/hexabot-publish ]
}

@test "sudoers: the example gives nothing until its lines are taken out of their comments" {
	visudo -cf "$EXAMPLES/sudoers-hexabot"
	[ "$(grep -vc '^#\|^$' "$EXAMPLES/sudoers-hexabot")" -eq 0 ]
	sed 's/^#\([%D]\)/\1/' "$EXAMPLES/sudoers-hexabot" >/tmp/sudoers
	[ "$(grep -vc '^#\|^$' /tmp/sudoers)" -eq 3 ]
	visudo -cf /tmp/sudoers
	[ -z "$(find /etc/sudoers.d -name 'hexabot*')" ]
}

@test "faillock: the example is the file of the source, and not in force" {
	cmp "$EXAMPLES/faillock.conf" "$PROJECT/dist/faillock.conf"
	[ "$(grep -c '^dir' /etc/security/faillock.conf)" -eq 0 ]
}
