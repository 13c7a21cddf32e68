#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# One password for Hexabot and the host, changed with the host's own programs; local users' passwords stay their own.

load host

setup_file() {
	store_setup
}

passwd_as() { # USER CURRENT NEW
	dialog 'urrent password: ' "$2" 'New password: ' "$3" 'etype new password: ' "$3" -- \
		setpriv --reuid "$1" --regid "$(id -g "$1")" --init-groups passwd
}

has_new_hash() { # USERNAME
	sql "SELECT password FROM users WHERE username = '$1'" | grep -qE '^[$]2b[$]12[$][./A-Za-z0-9]{53}$'
}

opens() { # USER PASSWORD
	ssh_password "$1" "$2" true
}

shut() { # USER PASSWORD
	run ssh_password "$1" "$2" true
	[ "$status" -ne 0 ]
}

@test "mona changes hers with passwd" {
	passwd_as mona pw-mona 'pw-mona two, ü'
	has_new_hash mona
	opens mona 'pw-mona two, ü'
	shut mona pw-mona
	log_has 'pam_hexabot\(passwd:chauthtok\): password of mona changed by the user'
}

@test "passwd as ada, whose hash is of a lower cost, makes one of ours" {
	passwd_as ada pw-ada pw-ada-two
	has_new_hash ada
	opens ada pw-ada-two
}

@test "a wrong current password, a short new one, the same one: nothing changes" {
	local before
	before=$(sql "SELECT password, updated_at FROM users WHERE username = 'Emile.D'")
	attempt wrong passwd_as Emile.D pw-wrong pw-long-enough
	attempt short passwd_as Emile.D pw-Emile.D pw-4567
	attempt same passwd_as Emile.D pw-Emile.D pw-Emile.D
	attempts_end
	kept_out wrong short same
	log_refused passwd:chauthtok Emile.D 'wrong current password'
	[ "$(sql "SELECT password, updated_at FROM users WHERE username = 'Emile.D'")" = "$before" ]
}

@test "root sets mona's with passwd, chpasswd and hexactl passwd" {
	dialog 'New password: ' pw-mona-three 'etype new password: ' pw-mona-three -- passwd mona
	has_new_hash mona
	opens mona pw-mona-three
	chpasswd <<<mona:pw-mona-four
	has_new_hash mona
	opens mona pw-mona-four
	hexactl passwd mona --stdin <<<pw-mona-five
	has_new_hash mona
	opens mona pw-mona-five
	hexactl log mona | grep -c ' passwd ' | grep -qx 4
}

@test "a disabled user sets none; root does, and the user stays disabled" {
	attempt max passwd_as max pw-max pw-max-two
	attempts_end
	kept_out max
	log_refused passwd:chauthtok max disabled
	chpasswd <<<max:pw-max-two
	has_new_hash max
	shut max pw-max-two
	hexactl enable max
	opens max pw-max-two
}

@test "a new password ends a reset link that is on its way" {
	sql "UPDATE users SET reset_token = 'x' WHERE username = 'mona'"
	chpasswd <<<mona:pw-mona-six
	[ -z "$(sql "SELECT reset_token FROM users WHERE username = 'mona'")" ]
}

@test "a local user's passwd, chpasswd, useradd, su and sudo go on working" {
	local new=pw-Lars-9f2kq
	passwd_as lars "$LARS_PASSWORD" "$new"
	opens lars "$new"
	su_as mona lars "$new" true
	printf '%s\n' "lars:$LARS_PASSWORD" | chpasswd
	opens lars "$LARS_PASSWORD"
	dialog 'New password: ' "$new" 'etype new password: ' "$new" -- passwd lars
	usermod --append --groups sudo lars
	[ "$(sudo_as lars "$new" id -un)" = root ]
	useradd --create-home peter
	chpasswd <<<peter:pw-peter
	opens peter pw-peter
	until_true 10 userdel --remove peter # su may still be on its way out
	[ "$(log_count 'pam_hexabot.*(lars|peter)')" -eq 0 ]
}

# Somebody with an old password waits at the prompt for the new one, while root takes the account away.
passwd_while() { # USER CURRENT NEW ROOT-COMMAND
	expect -f - "$1" "$(id -g "$1")" "$2" "$3" "$4" <<-'END'
		set timeout 15
		lassign $argv user gid current new command
		spawn -noecho setpriv --reuid $user --regid $gid --init-groups passwd
		expect "urrent password: "
		send -- "$current\r"
		expect "ew password: "
		exec sh -c $command >@ stdout 2>@ stdout
		send -- "$new\r"
		expect "etype new password: "
		send -- "$new\r"
		expect eof
		exit [lindex [wait] 3]
	END
}

@test "who is disabled or held while passwd waits at its prompt sets nothing" {
	hexactl role add zoe manager
	run passwd_while zoe pw-zoe pw-of-a-thief 'hexactl disable zoe'
	[ "$status" -ne 0 ]
	hexactl enable zoe
	opens zoe pw-zoe
	run passwd_while zoe pw-zoe pw-of-a-thief \
		'hexactl disable --hold zoe && echo pw-from-root | hexactl passwd --stdin zoe'
	[ "$status" -ne 0 ]
	hexactl enable zoe
	opens zoe pw-from-root
	shut zoe pw-of-a-thief
}
