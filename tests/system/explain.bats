#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016
# What hexactl explain says is what happens: each situation is asked and tried, side by side. Each has a name service,
# sshd or PAM of its own where it wants one: files are laid over the host's, for that command alone.

load host

setup_file() {
	store_setup
	cat >/tmp/laid-over <<-'END'
		#!/bin/bash
		# laid-over [FILE COPY]... -- CMD...: runs CMD where FILE reads as COPY
		if [ -z "$LAID_OVER" ]; then
			LAID_OVER=1 exec unshare --mount "$0" "$@"
		fi
		while [ "$1" != -- ]; do
			mount --bind "$2" "$1" || exit 99
			shift 2
		done
		shift
		exec "$@"
	END
	chmod 755 /tmp/laid-over
}

setup() {
	log_mark
	asked=()
}

way_in() { # SERVICE USER PASSWORD FILES...: the real thing; without a password nobody asks for one
	local service=$1 user=$2 password=$3
	shift 3
	case $service in
	sshd)
		SSHPASS=$password sshpass -e ssh -o ConnectTimeout=20 -o NumberOfPasswordPrompts=1 -o PubkeyAuthentication=no \
			-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ProxyCommand="/tmp/laid-over $* -- /usr/sbin/sshd -i" \
			-l "$user" 127.0.0.1 true
		;;
	su-l)
		/tmp/laid-over "$@" -- "$HERE/dialog.exp" 'assword: ' "$password" -- \
			setpriv --reuid lars --regid lars --init-groups su - "$user" -c true
		;;
	*)
		[ -n "$password" ] || {
			/tmp/laid-over "$@" -- pamtester "$service" "$user" authenticate acct_mgmt
			return
		}
		/tmp/laid-over "$@" -- "$HERE/dialog.exp" 'assword: ' "$password" -- \
			pamtester "$service" "$user" authenticate acct_mgmt
		;;
	esac
}

agrees() { # SERVICE USER PASSWORD RULE [FILE COPY]...: explain names RULE ('' : none, they get in); agreed asks whether that is so
	local service=$1 user=$2 password=$3 rule=$4 name="a${#asked[@]}" status=0
	shift 4
	/tmp/laid-over "$@" -- hexactl explain "$user" --service "$service" --json >"$BATS_TEST_TMPDIR/$name.json" || status=$?
	if [ "$status" -ne "$([ -z "$rule" ] && echo 0 || echo 1)" ] || ! json_fits explain cat "$BATS_TEST_TMPDIR/$name.json" ||
		! grep -qxF "  \"rule\": $([ -n "$rule" ] && echo "\"$rule\"" || echo null)," "$BATS_TEST_TMPDIR/$name.json"; then
		echo "$user by $service: exit status $status, rule $rule expected:"
		cat "$BATS_TEST_TMPDIR/$name.json"
		return 1
	fi
	asked+=("$status $user by $service")
	attempt "$name" way_in "$service" "$user" "$password" "$@"
}

agreed() { # what has been tried since is as it was said
	local i failed=0
	attempts_end
	for i in "${!asked[@]}"; do
		case ${asked[i]} in
		0*) got_in "a$i" ;;
		*) kept_out "a$i" ;;
		esac || {
			echo "that was ${asked[i]}"
			cat "$BATS_TEST_TMPDIR/a$i.json"
			failed=1
		}
	done
	asked=()
	[ "$failed" -eq 0 ]
}

remedied() { # DATABASE SOURCES AMENDED: the line that explain gives in place of the one with SOURCES
	local nss=/etc/nsswitch.conf copy
	copy=$(changed "$nss" "/^$1:/d")
	[ -z "$2" ] || echo "$1: $2" >>"$copy"
	run /tmp/laid-over "$nss" "$copy" -- hexactl explain mona
	[[ "$output" == *"let the line read '$1: $3'"* ]] || {
		echo "$output"
		return 1
	}
}

says() { # USER REGEX [ARGUMENT...]: one of the lines
	hexactl explain "$1" "${@:3}" >"$BATS_TEST_TMPDIR/says" || true
	grep -qE -- "$2" "$BATS_TEST_TMPDIR/says" || {
		cat "$BATS_TEST_TMPDIR/says"
		return 1
	}
}

changed() { # FILE SED-EXPRESSION: prints the name of a copy of FILE, changed
	local copy
	copy=$(mktemp)
	sed -E "$2" "$1" >"$copy"
	chmod --reference="$1" "$copy"
	echo "$copy"
}

service() { # NAME < LINES
	cat >"/etc/pam.d/$1"
}

digests() {
	sha256sum "$STORE" "$MAP" /var/lib/hexactl/private/ledger.sqlite
}

@test "who gets in as things are, by ssh, su and pamtester, and whom the state or the roles keep out" {
	local user before id
	before=$(digests)
	for user in mona ada Emile.D; do
		agrees sshd "$user" "pw-$user" ''
	done
	agrees su-l mona pw-mona ''
	agrees login ada pw-ada ''
	agrees no-such-service ada pw-ada '' # 'other' counts
	for user in max alan; do
		agrees sshd "$user" "pw-$user" state
	done
	for user in pia norole rita; do
		agrees sshd "$user" "pw-$user" roles
	done
	agrees su-l max pw-max state
	agrees sshd admin adminadmin password
	agreed
	says ada "^auth stack +note .*no-such-service has no line of its own, and 'other' counts" --service no-such-service
	run hexactl explain odd.user@example.org
	[ "$status" -eq 1 ]
	[[ "$output" == *"odd user would not get in by sshd: no login on this host: the name is no login"* ]]
	# What is to be pasted is one word, whatever they call themselves.
	id=$(sql "SELECT id FROM users WHERE username = 'odd user'")
	says 'odd user' "^odd user would not .* \(hexactl set $id --login NAME\)"
	says odd.user@example.org '\(hexactl set odd.user@example.org --login NAME\)'
	[ "$(hexactl explain 'odd user' --json | grep -c '"user": "odd user"')" -eq 1 ]
	says mona "^not judged +note +sudoers\(5\) may say otherwise; 'sudo -l -U mona' shows" --service sudo
	run hexactl explain mona
	[ "$status:${lines[-1]}" = '0:mona would get in by sshd' ]
	run hexactl explain max
	[ "${lines[-1]}" = 'max would not get in by sshd: disabled in Hexabot (hexactl enable max)' ]
	# Everything else that is wrong is told, too; only the first decides.
	says alan '^state +NO, decides'
	says paul '^roles +NO +no role that may log in \(admin, manager\): only public; hexactl role add paul ROLE'
	says rita '\(retired\), where \(\.\.\.\) is inactive'
	[ "$(digests)" = "$before" ]
	sql "UPDATE users SET username = 'login:mona' WHERE id = '$id'" # whoever pastes that means mona
	says username:login:mona "\(hexactl set $id --login NAME\)"
	sql "UPDATE users SET username = 'odd user' WHERE id = '$id'"
}

@test "a user of the host's own, and nobody at all, are not ours to judge: exit code 3" {
	local user
	for user in lars root login:lars; do
		run hexactl explain "$user"
		[ "$status" -eq 3 ]
		[[ "$output" == *"a user of the host itself"*"not ours to judge" ]]
	done
	run hexactl explain nobody-knows
	[ "$status:$output" = "3:hexactl: nobody-knows: no such user; 'hexactl list' shows who there is" ]
	run hexactl explain mona --service ../mona
	[ "$status" -eq 2 ]
	run hexactl explain mona --service ''
	[ "$status" -eq 2 ]
	hexactl explain mona --service SSHD # as pam_start(3) takes it
}

@test "hold, expiry, no password, roles of the service, stale groups, removal" {
	local user
	for user in held late nohash stale gone buried; do
		sql_user "$user" manager
	done
	hexactl publish
	hexactl disable --hold held
	hexactl set late --expires 2020-01-01T00:00:00Z
	sql "UPDATE users SET password = '\$6\$salt\$x' WHERE username = 'nohash'"
	sql "DELETE FROM user_roles WHERE user_id = (SELECT id FROM users WHERE username = 'buried')"
	sql "DELETE FROM users WHERE username = 'buried'"
	hexactl publish
	sql_role remove stale manager
	sql_role add stale admin
	sql "DELETE FROM user_roles WHERE user_id = (SELECT id FROM users WHERE username = 'gone')"
	sql "DELETE FROM users WHERE username = 'gone'"
	service gated <<-'END'
		auth    [success=1 default=ignore] pam_hexabot.so roles=admin
		auth    requisite pam_deny.so
		auth    required pam_permit.so
		account include common-account
	END
	agrees sshd held pw-mona hold
	agrees sshd late pw-mona expiry
	agrees sshd nohash pw-mona password
	agrees sshd stale pw-mona groups
	agrees sshd gone pw-mona user
	agrees sshd buried pw-mona user
	agrees gated mona pw-mona 'service roles'
	agrees gated ada pw-ada ''
	agreed
	says held '^roles +note +none: the hold keeps them'
	says gone 'removed from Hexabot.*not yet published'
	says buried 'removed from Hexabot.*the login stays reserved'
	says mona 'gated:1 lets in only: admin; hexactl role add mona admin' --service gated
	sql_role remove nohash manager
	hexactl publish
	says late '^expiry +NO, decides +expired 2020-01-01'
	says nohash '^roles +NO, decides'
	says nohash '^password +NO '
}

@test "an invitation: open, elsewhere, lapsed, and where no stack sets a password" {
	local code
	hexactl invite bob@example.org --role manager --print >/tmp/bob
	hexactl invite eve@example.org --role manager --print >/tmp/eve
	hexactl invite kim@example.org --role manager --print >/tmp/kim
	code=$(grep -oE '([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}' /tmp/bob)
	sql "UPDATE users SET state = 0 WHERE username = 'eve'" # which voids the code
	hexactl publish
	hexactl enable eve
	agrees su-l bob "$code" password
	agrees sshd eve "$(grep -oE '([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}' /tmp/eve)" password
	says bob 'invited until .*, and su-l opens nothing to a code; the first login has to be by: sshd, login' --service su-l
	says bob '^password +ok +invited: the code from the mail is the password'
	says eve 'none, and no invitation is open.*hexactl resend eve'
	hexactl explain bob
	dialog 'Password: ' "$code" 'New password: ' pw-bob-new 'etype new password: ' pw-bob-new -- \
		ssh -o PreferredAuthentications=keyboard-interactive -o PubkeyAuthentication=no -l bob 127.0.0.1 true
	agrees sshd bob pw-bob-new ''
	run /tmp/laid-over /etc/pam.d/common-password "$(changed /etc/pam.d/common-password '/pam_hexabot/d')" -- hexactl explain kim
	[ "$status" -eq 1 ]
	[[ "${lines[-1]}" == 'kim would not get in by sshd: pam_hexabot is not asked in the password stack ('* ]]
	code=$(grep -oE '([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}' /tmp/kim)
	attempt kim dialog 'Password: ' "$code" 'password: ' pw-kim-new 'password: ' pw-kim-new -- \
		/tmp/laid-over /etc/pam.d/common-password "$(changed /etc/pam.d/common-password '/pam_hexabot/d')" -- \
		pamtester sshd kim authenticate acct_mgmt 'chauthtok(PAM_CHANGE_EXPIRED_AUTHTOK)'
	agreed
	kept_out kim
}

@test "the name service: order, lines that are missing or end too soon, names and numbers of the host's own" {
	local nss=/etc/nsswitch.conf passwd group initgroups
	agrees su-l mona pw-mona 'nss passwd' "$nss" "$(changed "$nss" 's/^(passwd:).*/\1 files/')"
	agrees su-l mona pw-mona 'nss passwd' "$nss" "$(changed "$nss" '/^passwd:/d')"
	agrees su-l mona pw-mona 'nss passwd' "$nss" "$(changed "$nss" 's/^(passwd:).*/\1 files [NOTFOUND=return] hexabot/')"
	agrees su-l mona pw-mona 'nss passwd' "$nss" "$(changed "$nss" 's/^(passwd:).*/\1 files [!SUCCESS=return] hexabot/')"
	agrees su-l mona pw-mona '' "$nss" "$(changed "$nss" 's/^(passwd:).*/\1 hexabot [NOTFOUND=continue] files # x/')"
	agrees su-l mona pw-mona 'nss group' "$nss" "$(changed "$nss" 's/^(group:).*/\1 files/')"
	agrees su-l mona pw-mona '' "$nss" "$(changed "$nss" 's/^(shadow:).*/\1 files/')"
	agrees su-l mona pw-mona '' "$nss" "$(changed "$nss" '$ainitgroups: files')"
	remedied passwd '' 'files hexabot'
	remedied passwd 'files systemd' 'files hexabot systemd'
	remedied passwd 'systemd [!SUCCESS=return] files [success=merge] sss' \
		'systemd [UNAVAIL=return] [TRYAGAIN=return] files [SUCCESS=merge] hexabot sss'
	remedied group 'compat [NOTFOUND=return] hexabot [NOTFOUND=return] systemd' 'compat hexabot [NOTFOUND=return] systemd'
	remedied initgroups 'files systemd' 'files [SUCCESS=continue] hexabot systemd'
	# One who is in a group of the host's, and what is said of it helps.
	initgroups=$(changed "$nss" '$ainitgroups: files hexabot')
	group=$(changed /etc/group 's/^lp:.*/&mona/')
	run /tmp/laid-over "$nss" "$initgroups" /etc/group "$group" -- id -Gn mona
	[ "$output" = 'hexabot.mona lp' ]
	run /tmp/laid-over "$nss" "$initgroups" -- hexactl explain mona
	[ "$status" -eq 0 ]
	[[ "$output" == *"gets none of hexabot's; let the line read 'initgroups: files [SUCCESS=continue] hexabot'"* ]]
	initgroups=$(changed "$nss" '$ainitgroups: files [SUCCESS=continue] hexabot')
	run /tmp/laid-over "$nss" "$initgroups" /etc/group "$group" -- id -Gn mona
	[ "$output" = 'hexabot.mona lp hexabot-manager' ]
	agrees su-l mona pw-mona 'nss passwd' "$nss" "$(changed "$nss" 's/^(passwd:).*/\1 files [NOTFOUND=never] hexabot/')"
	passwd=$(changed /etc/passwd '$amona:x:4321:100::/tmp:/bin/bash')
	agrees su-l mona pw-mona name /etc/passwd "$passwd"
	passwd=$(changed /etc/passwd "\$aother:x:$(id -u mona):100::/tmp:/bin/bash")
	agrees su-l mona pw-mona '' /etc/passwd "$passwd"
	group=$(changed /etc/group "\$aothers:x:$(id -u mona):")
	agrees su-l mona pw-mona name /etc/group "$group"
	agrees su-l mona pw-mona name "$(realpath /lib/"$(cc -print-multiarch)"/libnss_hexabot.so.2)" /etc/hostname
	agrees su-l mona pw-mona map "$MAP" "$(changed /etc/hostname '')"
	useradd omar
	sql_user omar manager
	hexactl publish
	agrees su-l omar pw-mona user
	agreed
	hexactl disable omar
	says omar '^state +NO +disabled in Hexabot; hexactl enable omar'
	says omar "no login on this host: 'omar' is a user or group of this host; hexactl set omar --login NAME"
	run /tmp/laid-over "$nss" "$(changed "$nss" 's/^(passwd:).*/\1 files [NOTFOUND=never] hexabot/')" -- hexactl explain mona
	[[ "${lines[-1]}" == *"/etc/nsswitch.conf:"[0-9]*"in brackets"* ]]
}

@test "sshd: PAM, ways in, users and groups, Match; the shell" {
	local sshd=/etc/ssh/sshd_config user
	for user in sleepy lost; do
		sql_user "$user" manager
	done
	hexactl publish
	hexactl set sleepy --shell /usr/sbin/nologin
	hexactl set lost --shell /opt/no/shell --force
	agrees sshd sleepy pw-mona shell
	agrees sshd lost pw-mona shell
	agrees su-l sleepy pw-mona shell
	for user in nobodys managers; do
		sql_user "$user" manager
	done
	install -m 754 -g lars /bin/dash /opt/of-lars
	install -m 750 -g hexabot-manager /bin/dash /opt/of-managers
	hexactl publish
	hexactl set nobodys --shell /opt/of-lars
	hexactl set managers --shell /opt/of-managers
	agrees sshd nobodys pw-mona shell
	agrees su-l nobodys pw-mona shell
	agrees sshd managers pw-mona ''
	agrees sshd mona pw-mona sshd $sshd "$(changed $sshd 's/^(UsePAM) .*/\1 no/')"
	agrees sshd mona pw-mona sshd $sshd "$(changed $sshd 's/^(PasswordAuth|KbdInter)(.*) .*/\1\2 no/')"
	agrees sshd mona pw-mona '' $sshd "$(changed $sshd 's/^(KbdInter)(.*) .*/\1\2 no/')"
	agrees sshd mona pw-mona '' $sshd "$(changed $sshd 's/^(PasswordAuth)(.*) .*/\1\2 no/')"
	agrees sshd mona pw-mona sshd $sshd "$(changed $sshd '$aAuthenticationMethods publickey')"
	# For all, sshd would not start with one that is off.
	agrees sshd mona pw-mona sshd $sshd \
		"$(changed $sshd '$aMatch User mona\nKbdInteractiveAuthentication no\nAuthenticationMethods keyboard-interactive password,hostbased')"
	agrees sshd mona pw-mona '' $sshd "$(changed $sshd '$aMatch User mona\nKbdInteractiveAuthentication no\nAuthenticationMethods keyboard-interactive:pam password')"
	agrees sshd mona pw-mona sshd $sshd "$(changed $sshd '1iMaxAuthTries 0')"
	agrees sshd mona pw-mona sshd $sshd "$(changed $sshd '$aMatch User mona\nMaxSessions 0')"
	agrees sshd mona pw-mona '' $sshd "$(changed $sshd '1iMaxAuthTries 1\nMaxSessions 1')"
	agrees sshd mona pw-mona 'sshd users' $sshd "$(changed $sshd '$aAllowUsers ada emile lars')"
	agrees sshd mona pw-mona '' $sshd "$(changed $sshd '$aAllowUsers ada m?na')"
	agrees sshd mona pw-mona 'sshd users' $sshd "$(changed $sshd '$aAllowUsers m[o]na mona*? *n')"
	agrees sshd mona pw-mona 'sshd users' $sshd "$(changed $sshd '$aDenyUsers mo*')"
	agrees sshd mona pw-mona 'sshd users' $sshd "$(changed $sshd '$aAllowGroups hexabot-admin')"
	agrees sshd mona pw-mona 'sshd users' $sshd "$(changed $sshd '$aDenyGroups root hexabot-manager')"
	agrees sshd mona pw-mona sshd $sshd "$(changed $sshd '$aMatch Group hexabot-manager\nKbdInteractiveAuthentication no\nPasswordAuthentication no')"
	agrees sshd ada pw-ada '' $sshd "$(changed $sshd '$aMatch User mona\nPasswordAuthentication no\nKbdInteractiveAuthentication no')"
	agreed
	run /tmp/laid-over $sshd "$(changed $sshd '$aAuthenticationMethods publickey,password publickey,keyboard-interactive:pam\nChrootDirectory /srv')" -- \
		hexactl explain mona
	[ "$status" -eq 0 ]
	[[ "$output" == *'AuthenticationMethods: a password is not enough'*' is not enough: AuthenticationMethods wants more'*'ChrootDirectory /srv: whether'* ]]
	run /tmp/laid-over $sshd "$(changed $sshd '$aAuthenticationMethods password')" -- hexactl explain mona
	[ "$status" -eq 0 ]
	[[ "$output" != *'a key in'* ]]
	run /tmp/laid-over $sshd "$(changed $sshd '$aAuthenticationMethods publickey,password publickey,publickey')" -- hexactl explain mona
	[[ "$output" == *'a key in /etc/ssh/authorized_keys needs no password'* ]]
	agrees sshd mona pw-mona '' $sshd "$(changed $sshd '$aAuthenticationMethods publickey keyboard-interactive')"
	agreed
	says mona '^keys +note +a key in /etc/ssh/authorized_keys needs no password'
	run /tmp/laid-over $sshd "$(changed $sshd '$aPort 2222\nMatch LocalPort 2222 RDomain "!x,*"\nPasswordAuthentication no\nKbdInteractiveAuthentication no')" -- \
		hexactl explain mona
	[ "$status" -eq 1 ]
	[[ "$output" == *'keys only'* ]]
	run /tmp/laid-over $sshd "$(changed $sshd '$aNonsense yes')" -- hexactl explain mona
	[ "$status" -eq 0 ]
	[[ "$output" == *"'sshd -T' does not tell its settings: not judged"* ]]
}

@test "stacks: of every shape that libpam takes, without the module, with bad lines, and those that heed nobody" {
	mkdir /lib/security # Debian's libpam looks here, too
	cp "${MODULE%/*}/pam_permit.so" /lib/security/pam_elsewhere.so
	service elsewhere <<-'END'
		auth    required pam_elsewhere.so
		auth    required pam_hexabot.so
		account include common-account
	END
	agrees elsewhere mona pw-mona ''
	agrees sshd mona pw-mona 'session stack' /etc/pam.d/sshd "$(changed /etc/pam.d/sshd '$asession required pam_not_there.so')"
	agrees su-l mona pw-mona 'session stack' /etc/pam.d/common-session "$(changed /etc/pam.d/common-session '$asession required pam_deny.so')"
	service split <<-'END'
		auth    substack split-auth
		-auth   optional pam_not_there.so
		auth    required \
		        pam_permit.so # and a comment
		account include common-account
	END
	service split-auth <<-'END'
		auth [success=2 \
		      default=ignore] pam_hexabot.so
		auth sufficient pam_unix.so
		auth requisite pam_deny.so
		auth [default=done] pam_permit.so
	END
	service no-module <<-'END'
		@include common-account
		auth required pam_unix.so
	END
	service no-account <<-'END'
		@include common-auth
		account required pam_deny.so
	END
	service open <<-'END'
		auth required pam_permit.so
		account include common-account
	END
	service heedless <<-'END'
		auth    optional pam_hexabot.so
		auth    required pam_permit.so
		account optional pam_hexabot.so
		account required pam_permit.so
	END
	service too-far <<-'END'
		auth    [success=9 default=ignore] pam_hexabot.so
		auth    required pam_permit.so
		account include common-account
	END
	service typo <<-'END'
		auth    [success=1 defualt=ignore] pam_hexabot.so
		auth    required pam_permit.so
		account include common-account
	END
	service no-include <<-'END'
		auth    include not-there
		account include common-account
	END
	# A bad line denies whoever comes to it, and nobody else; one of no facility is auth's.
	service typos-behind <<-'END'
		auth    sufficient pam_hexabot.so
		auth    requird pam_unix.so
		auth    include not-there
		acount  required pam_permit.so
		account [default=done] pam_hexabot.so
		account required
	END
	service typo-between <<-'END'
		acount  required pam_deny.so
		auth    sufficient pam_hexabot.so
		account include common-account
	END
	service typo-passed-over <<-'END'
		auht    optional pam_hexabot.so
		auth    required pam_hexabot.so
		account include common-account
	END
	service circle <<-'END'
		auth    include circle
		account include common-account
	END
	service half <<-'END'
		auth    [success=1 default=die] /opt/not/there/pam_hexabot.so
		auth    requisite pam_deny.so
		auth    required pam_permit.so
		account include common-account
	END
	service unix-first <<-'END'
		auth    [success=done default=ignore] pam_hexabot.so
		auth    requisite pam_deny.so
		account required pam_unix.so
		account required pam_hexabot.so
	END
	touch /tmp/closed
	service closed <<-'END'
		@include common-auth
		account required pam_nologin.so file=/tmp/closed
		@include common-account
	END
	service closed-a-little <<-'END'
		@include common-auth
		account [acct_expired=die default=ignore] pam_nologin.so file=/tmp/closed
		@include common-account
	END
	service waiting <<-'END'
		auth    required pam_env.so
		auth    required pam_hexabot.so use_first_pass
		account include common-account
	END
	service served <<-'END'
		auth    sufficient pam_unix.so
		auth    required pam_hexabot.so use_first_pass
		account include common-account
	END
	service listed <<-'END'
		@include common-auth
		auth required pam_shells.so
		@include common-account
	END
	# libpam reads 'other' for all, and not at all what it can't.
	agrees split mona '' 'auth stack' /etc/pam.d/other "$(changed /etc/pam.d/other '$a@include not-there')"
	agrees split mona '' 'auth stack' /etc/pam.d/other "$(changed /etc/pam.d/other "\$aauth required pam_permit.so \\\\")"
	agrees split mona pw-mona '' /etc/pam.d/other "$(changed /etc/pam.d/other '$aauth include not-there')"
	agrees split mona pw-mona ''
	agrees split max pw-max state
	agrees no-module mona pw-mona 'auth stack'
	agrees no-account mona pw-mona 'account stack'
	agrees open mona '' ''
	agrees open max '' state
	agrees heedless max pw-max ''
	agrees too-far mona pw-mona 'auth stack'
	agrees typo mona pw-mona 'auth stack'
	agrees no-include mona pw-mona 'auth stack'
	agrees typos-behind mona pw-mona ''
	agrees typos-behind max pw-max state
	agrees typo-between mona pw-mona 'auth stack'
	agrees typo-passed-over mona pw-mona ''
	agrees half mona pw-mona 'auth stack'
	agrees unix-first mona pw-mona ''
	agrees unix-first max pw-max state
	agrees unix-first mona pw-mona 'account stack' /etc/nsswitch.conf "$(changed /etc/nsswitch.conf 's/^(shadow:).*/\1 files/')"
	agrees closed mona pw-mona nologin
	agrees closed-a-little mona pw-mona ''
	agrees waiting mona '' 'auth stack' # no prompt
	agrees served mona pw-mona ''
	agrees listed mona pw-mona ''
	agrees listed mona pw-mona shell /etc/shells "$(changed /etc/shells '/bash/d')"
	agreed
	says max '^stacks +note +they let people in all the same' --service heedless
	says mona '/etc/pam.d/typo:1: a word in brackets' --service typo
	says mona '^auth stack +note .*/typos-behind:2: a word in brackets' --service typos-behind
	says mona '^account stack +note .*/typos-behind:6: there is no module: ' --service typos-behind
	says mona '^auth stack +NO, decides .*/typo-between:1: begins with none of .*; put it right' --service typo-between
	# Over this one libpam itself overruns its stack.
	says mona '/etc/pam.d/circle:1: files include each other without end' --service circle
	says mona '^auth stack +note +pam_hexabot is not asked; .*pam_permit.so lets people in without it' --service open
	service elsewhere <<-'END'
		@include common-auth
		account required pam_access.so
		@include common-account
	END
	says mona '^not judged +note +pam_access.so \(/etc/pam.d/elsewhere:2\) may say otherwise' --service elsewhere
}

@test "lockout, by pam_faillock's own settings, and cron, which asks for no password" {
	mkdir /tmp/tally
	service locking <<-'END'
		auth    [success=2 default=ignore] pam_hexabot.so
		auth    required pam_faillock.so authfail silent dir=/tmp/tally deny=2
		auth    requisite pam_deny.so
		auth    required pam_faillock.so authsucc silent dir=/tmp/tally deny=2 unlock_time=never
		account include common-account
	END
	agrees locking mona pw-mona ''
	agreed
	attempt wrong-1 way_in locking mona pw-wrong
	attempt wrong-2 way_in locking mona pw-wrong
	attempt wrong-3 way_in locking ada pw-wrong
	attempts_end
	agrees locking mona pw-mona lockout
	agrees locking ada pw-ada ''
	agreed
	says mona 'locked by pam_faillock after 2 failures until root unlocks; faillock --dir /tmp/tally --user mona --reset' --service locking
	# Where a time unlocks, that time has passed.
	sed -i 's/unlock_time=never/unlock_time=1 fail_interval=60/' /etc/pam.d/locking
	until_true 5 hexactl explain mona --service locking
	agrees locking mona pw-mona ''
	agreed
	# A user may write any time into the file.
	sed -i 's/unlock_time=1 /unlock_time=600 /' /etc/pam.d/locking
	python3 -c 'import struct; open("/tmp/tally/mona", "wb").write(2 * struct.pack("<54xHQ", 1, 2**63 - 1))'
	agrees locking mona pw-mona lockout
	agreed
	# What it can't open it takes for a reason to refuse.
	rm /tmp/tally/ada
	mkdir /tmp/tally/ada
	agrees locking ada pw-ada lockout
	agreed
	says ada '/tmp/tally/ada: Is a directory: pam_faillock refuses' --service locking
	rmdir /tmp/tally/ada
	ln -s mona /tmp/tally/ada
	agrees locking ada pw-ada lockout
	agreed
	ln -sf none /tmp/tally/ada
	agrees locking ada pw-ada ''
	agreed
	# Who is in its admin_group is locked as root is; a conf= that is not there refuses everybody.
	service locking-root <<-'END'
		auth    required pam_faillock.so preauth silent dir=/tmp/tally deny=2
		auth    required pam_hexabot.so
		account include common-account
	END
	python3 -c 'import struct, time; open("/tmp/tally/mona", "wb").write(2 * struct.pack("<54xHQ", 1, int(time.time()) - 10))'
	agrees locking-root mona pw-mona '' /etc/pam.d/locking-root "$(changed /etc/pam.d/locking-root 's/deny=2/& admin_group=hexabot-manager/')"
	agrees locking-root mona pw-mona lockout /etc/pam.d/locking-root "$(changed /etc/pam.d/locking-root 's/deny=2/& admin_group=hexabot-admin/')"
	agrees locking-root mona pw-mona lockout /etc/pam.d/locking-root \
		"$(changed /etc/pam.d/locking-root 's/deny=2/& admin_group=hexabot-manager even_deny_root/')"
	agrees locking-root mona pw-mona '' /etc/pam.d/locking-root \
		"$(changed /etc/pam.d/locking-root 's/deny=2/& admin_group=hexabot-manager even_deny_root root_unlock_time=5/')"
	agrees locking-root mona pw-mona '' /etc/pam.d/locking-root "$(changed /etc/pam.d/locking-root 's/deny=2/& unlock_time=5m/')"
	agrees locking-root mona pw-mona 'auth stack' /etc/pam.d/locking-root "$(changed /etc/pam.d/locking-root 's/deny=2/& conf=\/etc\/none.conf/')"
	agreed
	mv /etc/security/faillock.conf /tmp/
	says mona '^lockout +NO, decides +locked by pam_faillock' --service locking-root
	mv /tmp/faillock.conf /etc/security/
	# A name of Hexabot's that is a path leads nowhere.
	mv /tmp/tally/mona /tmp/outside
	sql "UPDATE users SET username = '../outside' WHERE username = 'odd user'"
	says ../outside '^lockout +ok +0 failures' --service locking
	mkdir /tmp/tally/rita
	says rita '^lockout +NO .*/tmp/tally/rita: ' --service locking
	rmdir /tmp/tally/rita
	sql "UPDATE users SET username = 'odd user' WHERE username = '../outside'"
	cron_jobs mona max
	until_true 5 grep -qx mona /tmp/cron/mona
	[ ! -e /tmp/cron/max ]
	hexactl explain mona --service cron
	run hexactl explain max --service cron
	[ "$status" -eq 1 ]
	says max '^auth stack +note +cron asks nobody for a password' --service cron
}

@test "configuration, ledger or store that can't be read refuse, and that is what is told" {
	local bad ledger=/var/lib/hexactl/private/ledger.sqlite empty
	bad=$(changed "$CONF" '$anonsense = 1')
	empty=$(changed /etc/hostname 's/.*/no database/')
	chmod 600 "$empty"
	agrees sshd mona pw-mona records "$CONF" "$bad"
	agrees su-l mona pw-mona records "$STORE" "$empty"
	agrees su-l mona pw-mona records "$ledger" "$empty"
	agreed
	run /tmp/laid-over "$CONF" "$bad" -- hexactl explain mona
	[[ "${lines[-1]}" == "mona would not get in by sshd: unreadable: $CONF:"*": nonsense: unknown key (pam_hexabot refuses all "* ]]
	run /tmp/laid-over "$CONF" "$bad" -- hexactl explain lars
	[ "$status" -eq 3 ]
	# Nobody can say whether there is such a user, but they would not get in.
	run /tmp/laid-over "$CONF" "$bad" -- hexactl explain nobody-knows
	[ "$status" -eq 1 ]
}
