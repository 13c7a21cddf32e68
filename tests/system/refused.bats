#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Who may not log in does not, by no way in; each refusal is one line in the log, with its reason.

load host

setup_file() {
	store_setup
}

every_way_is_shut() { # USER REASON
	attempt password ssh_password "$1" "pw-$1" true
	attempt kbd ssh_kbd "$1" "pw-$1" true
	attempt key ssh_key "$1" true
	attempt su su_as lars "$1" "pw-$1" true
	attempt login login_as "$1" "pw-$1" true
	attempt sudo sudo_as "$1" "pw-$1" true
	cron_jobs "$1"
	attempts_end
	kept_out password kbd key su login sudo
	[ ! -e "/tmp/cron/$1" ]
	log_refused sshd:auth "$1" "$2" 2
	log_refused sshd:account "$1" "$2"
	log_refused su-l:auth "$1" "$2"
	log_refused login:auth "$1" "$2"
	log_refused sudo:auth "$1" "$2"
	log_refused cron:account "$1" "$2"
	[ "$(log_count "allowed $1")" -eq 0 ]
	[ ! -e "/home/$1" ]
	getent shadow "$1" | grep -q "^$1:!\*:.*:1:$"
}

@test "max is disabled" {
	every_way_is_shut max disabled
}

@test "alan, an admin, is disabled" {
	every_way_is_shut alan disabled
}

@test "pia is only public" {
	every_way_is_shut pia 'no role that may log in'
}

@test "rita has an inactive role" {
	every_way_is_shut rita 'no role that may log in'
	run getent group hexabot-retired
	[[ $output != *rita* ]]
}

@test "norole has none" {
	every_way_is_shut norole 'no role that may log in'
}

@test "zoe has a role that is none of login_roles, until it is" {
	every_way_is_shut zoe 'no role that may log in'
	echo 'login_roles = admin manager operators' >>"$CONF"
	ssh_password zoe pw-zoe true
	sed -i '$d' "$CONF"
}

@test "roles= narrows one service" {
	sed -i '/pam_hexabot/s/$/ roles=admin/' /etc/pam.d/common-account
	attempt mona ssh_key mona true
	attempt ada ssh_key ada true
	attempts_end
	sed -i 's/ roles=admin$//' /etc/pam.d/common-account
	kept_out mona
	got_in ada
	log_refused sshd:account mona 'no role that may log in'
}

@test "the seed password opens nothing, wherever it is typed" {
	attempt password ssh_password admin adminadmin true
	attempt kbd ssh_kbd admin adminadmin true
	attempt su su_as lars admin adminadmin true
	attempt login login_as admin adminadmin true
	attempt sudo sudo_as admin adminadmin true
	attempts_end
	kept_out password kbd su login sudo
	log_refused sshd:auth admin 'seed password' 2
	log_refused su-l:auth admin 'seed password'
	log_refused login:auth admin 'seed password'
	log_refused sudo:auth admin 'seed password'
}

@test "another password than the seed does" {
	hexactl passwd admin --stdin <<<pw-admin-new
	ssh_password admin pw-admin-new true
}

@test "root becomes a disabled user by sudo -u and runuser, which is root's own doing, but not by su" {
	[ "$(sudo -u max id -un)" = max ]
	[ "$(runuser -u max -- id -un)" = max ]
	run su max -c true
	[ "$status" -ne 0 ]
	log_refused su:account max disabled
}

@test "the reason is told to who has proved the password, not to others" {
	attempt wrong ssh_password max pw-wrong true
	attempt key ssh_key max true
	attempts_end
	kept_out wrong key
	said_not wrong '[Dd]isabled'
	said key 'This account is disabled.'
}
