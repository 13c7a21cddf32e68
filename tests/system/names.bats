#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Names that mean something belong to the host; a name or number that was given once belongs to nobody else.

load host

host_names=(root daemon sudo adm wheel docker postgres)
newline=$'new\nline'
unsafe_names=('a:b' "$newline" '../x' '-rf' '12345' 'müller' '' 'a b')

setup_file() {
	local name
	host_setup
	store_make
	for name in "${host_names[@]}" "${unsafe_names[@]}"; do
		sql_user "$name" admin
	done
	sql "INSERT INTO roles (id, created_at, updated_at, name, active)
		SELECT lower(hex(randomblob(16))), created_at, updated_at, n.column1, 1
		FROM roles, (VALUES ('sudo'), ('a:b'), ('new' || char(10) || 'line')) n WHERE roles.name = 'admin'"
	for name in sudo a:b "$newline"; do
		sql_role add mona "$name"
	done
	hexactl init --store "$STORE"
}

nss_names() { # passwd|group: who is in NSS beyond the files
	comm -13 <(cut -d : -f 1 "/etc/$1" | sort) <(getent "$1" | cut -d : -f 1 | sort)
}

@test "users with names of the host or unsafe ones are nowhere in NSS" {
	local name
	[ "$(nss_names passwd | xargs)" = 'Emile.D ada admin alan max mona norole paul pending pia rita zoe' ]
	for name in "${host_names[@]}" visitor; do
		[ "$(getent passwd "$name")" = "$(grep "^$name:" /etc/passwd)" ]
	done
}

@test "every line of NSS is a line of its format" {
	[ "$(getent passwd | grep -cvE '^[^:]+:[^:]*:[0-9]+:[0-9]+:[^:]*:[^:]*:[^:]*$')" -eq 0 ]
	[ "$(getent group | grep -cvE '^[^:]+:[^:]*:[0-9]+:[^:]*$')" -eq 0 ]
}

@test "roles called sudo, or with colon or newline, give no group of the host's, and no right" {
	[ "$(getent group sudo)" = "$(grep '^sudo:' /etc/group)" ]
	[ "$(nss_names group | grep -cE '^(sudo|line|b)$|:')" -eq 0 ]
	run id -Gn mona
	[[ " $output " != *' sudo '* ]]
	run sudo_as mona pw-mona true
	[ "$status" -ne 0 ]
}

@test "with their right password they become nobody: not root, not daemon, not postgres" {
	attempt root su_as mona root pw-mona true
	attempt daemon ssh_password daemon pw-mona true
	attempt docker ssh_password docker pw-mona true
	attempt visitor ssh_password visitor pw-visitor true
	attempts_end
	kept_out root daemon docker visitor
}

@test "list --unmapped names each with the reason" {
	local name
	run hexactl list --unmapped
	for name in "${host_names[@]}"; do
		grep -qE "^$name .*'$name' is a (reserved name|user or group of this host)" <<<"$output"
	done
	grep -qE '^odd user .*no login' <<<"$output"
	grep -qE '^a:b .*no login' <<<"$output"
	[ "$(grep -c . <<<"$output")" -ge $((1 + 7 + 8)) ]
}

@test "the list holds no line of a user's own making" {
	[ "$(hexactl list | grep -c '^line')" -eq 0 ]
}

@test "set gives odd user a login" {
	run ssh_password odd 'pw-odd user' true
	[ "$status" -ne 0 ]
	hexactl set 'odd user' --login odd
	[ "$(ssh_password odd 'pw-odd user' id -un)" = odd ]
}

@test "set gives nobody a name of the host's or of another user" {
	run hexactl set 'a b' --login postgres
	[ "$status" -eq 4 ] || [ "$status" -eq 2 ]
	run hexactl set 'a b' --login mona
	[ "$status" -eq 4 ] || [ "$status" -eq 2 ]
	run hexactl set 'a b' --login lars
	[ "$status" -eq 4 ] || [ "$status" -eq 2 ]
	[ "$(getent passwd mona | cut -d : -f 5)" = 'Mona Lind' ]
}

@test "nor in a Turkish locale, in which MAIL and mail are two words" {
	localedef -i tr_TR -f UTF-8 /tmp/tr_TR.UTF-8
	run env LOCPATH=/tmp LC_ALL=tr_TR.UTF-8 hexactl set 'a b' --login MAIL
	[ "$status" -eq 4 ]
	[[ $output == *"'MAIL' is a reserved name"* ]]
	run getent passwd MAIL
	[ "$status" -eq 2 ]
}

@test "who is renamed in Hexabot keeps login, uid and home" {
	local before
	ssh_key ada true
	before=$(getent passwd ada)
	sql "UPDATE users SET username = 'countess' WHERE username = 'ada'"
	hexactl publish
	[ "$(getent passwd ada)" = "$before" ]
	run getent passwd countess
	[ "$status" -eq 2 ]
	[ "$(ssh_password ada pw-ada pwd)" = /home/ada ]
	hexactl show countess | grep -q '^login *ada$'
	sql_user ada manager
	hexactl publish
	[ "$(getent passwd ada)" = "$before" ]
	hexactl list --unmapped | grep -q "^ada .*another user's"
}

@test "a removed user's name and uid go to nobody" {
	local uid
	sql_user gone manager
	hexactl publish
	uid=$(id -u gone)
	sql "DELETE FROM user_roles WHERE user_id = (SELECT id FROM users WHERE username = 'gone')"
	sql "DELETE FROM users WHERE username = 'gone'"
	sql_user gone manager
	hexactl publish
	run getent passwd gone "$uid"
	[ "$status" -eq 2 ]
	run ssh_password gone pw-mona true
	[ "$status" -ne 0 ]
	hexactl list --unmapped | grep -q "^gone .*another user's"
}

@test "of two names that differ only in case the older account has it" {
	sql_user Zoe manager
	sql "UPDATE users SET created_at = '2029-01-01 00:00:00.000' WHERE username = 'Zoe'"
	hexactl publish
	getent passwd zoe
	run getent passwd Zoe
	[ "$status" -eq 2 ]
}

@test "a home that is there already and somebody else's gives no login" {
	mkdir /home/hanna
	sql_user hanna manager
	hexactl publish
	run getent passwd hanna
	[ "$status" -eq 2 ]
	hexactl list --unmapped | grep -q '^hanna .*/home/hanna'
}

@test "who becomes a local user later is the local one" {
	echo 'pending:x:4242:4242::/nonexistent:/bin/sh' >>/etc/passwd
	echo 'pending:*:19000::::::' >>/etc/shadow
	[ "$(id -u pending)" -eq 4242 ]
	pamtester login pending acct_mgmt
	[ "$(log_count 'pam_hexabot.*pending')" -eq 0 ]
	sed -i '/^pending:/d' /etc/passwd /etc/shadow
}

@test "the same database gives the same uids on another host" {
	local before
	before=$(getent passwd mona ada zoe)
	rm -rf /var/lib/hexactl/* /etc/hexabot
	hexactl init --store "$STORE"
	[ "$(getent passwd mona zoe | cut -d : -f 1,3)" = "$(grep -E '^(mona|zoe):' <<<"$before" | cut -d : -f 1,3)" ]
}

@test "a lost ledger is rebuilt from the map: same logins, same uids" {
	local before
	hexactl set 'odd user' --login odd
	before=$(getent passwd | sort)
	rm -rf /var/lib/hexactl/private
	run hexactl list
	[ "$status" -eq 6 ]
	hexactl init --store "$STORE" --rebuild-ledger
	[ "$(getent passwd | sort)" = "$before" ]
	ssh_password odd 'pw-odd user' true
}
