# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# The peers of `make compare`: for each, how it is set up, and what its administrator does. NAME_setup sets up a host,
# NAME_start and NAME_stop run its processes, NAME_pids names them. Of the source (a Hexabot store or a directory):
# NAME_disable and NAME_enable USER, NAME_leave and NAME_join USER (the group $TEAM), NAME_source gone|hangs|back, NAME_add user|group
# NAME ID. NAME_file is what fresh processes read, or nothing; NAME_socket what they talk to, or nothing.

BASE=dc=example,dc=org
LDAP_PASSWORD=pw-ldap-admin
CERT=/etc/ldap/compare.pem

people() { # NAME HASH, of ten people
	sqlite3 -separator ' ' :memory: ".read $PROJECT/tests/data/mixed.sql" \
		"SELECT username, password FROM users WHERE type = 'UserOrmEntity' AND username GLOB '[a-z]*' AND
			username NOT GLOB '* *' AND username != 'admin' LIMIT 10"
}

nsswitch() { # SERVICE
	sed -i -E '/^(passwd|group|shadow|initgroups|gshadow):/d' /etc/nsswitch.conf
	printf '%s\n' "passwd: files $1" "group: files $1" "shadow: files $1" >>/etc/nsswitch.conf
}

stacks() { # PROFILE...: Debian's own and these
	printf '%s\n' 'Name: make home directories' 'Default: no' 'Priority: 0' 'Session-Type: Additional' 'Session:' \
		'	optional pam_mkhomedir.so' >/usr/share/pam-configs/compare-homes
	DEBIAN_FRONTEND=noninteractive pam-auth-update --force --package --remove pwquality ldap sss </dev/null
	DEBIAN_FRONTEND=noninteractive pam-auth-update --force --package --enable compare-homes "$@" </dev/null
}

uid_is_0() { # USER
	[ "$(id -u "$1")" = 0 ]
}

# ---- a directory ----

directory() { # slapd with ten people, on ldaps://localhost; mona, ada and max are the team
	local name hash id=20000
	openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
		-keyout /etc/ldap/compare.key -out $CERT 2>/dev/null
	mkdir /srv/ldap
	cat >/etc/ldap/compare.conf <<-END
		include /etc/ldap/schema/core.schema
		include /etc/ldap/schema/cosine.schema
		include /etc/ldap/schema/nis.schema
		pidfile /run/slapd.pid
		TLSCertificateFile $CERT
		TLSCertificateKeyFile /etc/ldap/compare.key
		modulepath /usr/lib/ldap
		moduleload back_mdb
		database mdb
		suffix $BASE
		rootdn cn=root,$BASE
		rootpw $LDAP_PASSWORD
		directory /srv/ldap
		access to attrs=userPassword by anonymous auth by * none
		access to * by * read
	END
	{
		printf '%s\n' "dn: $BASE" 'objectClass: domain' 'dc: example' ''
		while read -r name hash; do
			entry_user "$name" $((++id)) "$hash"
		done < <(people)
		entry_group people 20000
		entry_group team 20100 mona ada max
	} | slapadd -q -f /etc/ldap/compare.conf
	slapd_start
}

entry_user() { # NAME UID HASH
	printf '%s\n' "dn: uid=$1,$BASE" 'objectClass: account' 'objectClass: posixAccount' 'objectClass: shadowAccount' "uid: $1" \
		"cn: $1" "uidNumber: $2" 'gidNumber: 20000' "homeDirectory: /home/$1" 'loginShell: /bin/bash' \
		"userPassword: {CRYPT}$3" 'shadowLastChange: 20000' ''
}

entry_group() { # NAME GID [MEMBER]...
	printf '%s\n' "dn: cn=$1,$BASE" 'objectClass: posixGroup' "cn: $1" "gidNumber: $2"
	[ $# -eq 2 ] || printf 'memberUid: %s\n' "${@:3}"
	echo
}

slapd_start() {
	start slapd -h ldaps://localhost -f /etc/ldap/compare.conf
	until_true 20 ldap_read -s base >/dev/null 2>&1
}

ldap_read() {
	LDAPTLS_CACERT=$CERT ldapsearch -x -LLL -o ldif-wrap=no -H ldaps://localhost -D "cn=root,$BASE" -w $LDAP_PASSWORD -b $BASE "$@"
}

ldap_change() { # [-a]: LDIF on stdin
	LDAPTLS_CACERT=$CERT ldapmodify -x -H ldaps://localhost -D "cn=root,$BASE" -w $LDAP_PASSWORD "$@" >/dev/null
}

ldap_disable() { # What all three peers know without an extension of the directory's: shadowExpire.
	printf '%s\n' "dn: uid=$1,$BASE" 'changetype: modify' 'replace: shadowExpire' 'shadowExpire: 1' | ldap_change
}

ldap_enable() {
	printf '%s\n' "dn: uid=$1,$BASE" 'changetype: modify' 'delete: shadowExpire' | ldap_change
}

ldap_leave() {
	printf '%s\n' "dn: cn=team,$BASE" 'changetype: modify' 'delete: memberUid' "memberUid: $1" | ldap_change
}

ldap_join() {
	printf '%s\n' "dn: cn=team,$BASE" 'changetype: modify' 'add: memberUid' "memberUid: $1" | ldap_change
}

ldap_add() { # user|group NAME ID: with mona's password; mona is the member
	case $1 in
	user) entry_user "$2" "$3" "$(people | sed -n 's/^mona //p')" ;;
	group) entry_group "$2" "$3" mona ;;
	esac | ldap_change -a
}

ldap_source() {
	case $1 in
	gone) kill "$(cat /run/slapd.pid)" && until_true 20 test ! -e /run/slapd.pid ;;
	hangs) kill -STOP "$(cat /run/slapd.pid)" ;;
	back) if [ -e /run/slapd.pid ]; then kill -CONT "$(cat /run/slapd.pid)"; else slapd_start; fi ;;
	esac
}

alias_ldap() { # PEER: its source is the directory
	local verb
	for verb in disable enable leave join add source; do
		eval "$1_$verb() { ldap_$verb \"\$@\"; }"
	done
}

# ---- SSSD ----

alias_ldap sssd
sssd_setup() {
	directory
	cat >/etc/sssd/sssd.conf <<-END
		[sssd]
		services = nss, pam
		domains = example
		[domain/example]
		id_provider = ldap
		auth_provider = ldap
		access_provider = ldap
		ldap_access_order = expire
		ldap_account_expire_policy = shadow
		ldap_uri = ldaps://localhost
		ldap_search_base = $BASE
		ldap_tls_cacert = $CERT
		cache_credentials = true
	END
	chmod 600 /etc/sssd/sssd.conf
	nsswitch sss
	stacks sss
	sssd_start
}
sssd_start() { start sssd -D --logger=files; }
sssd_stop() { ended KILL sssd sssd_be sssd_nss sssd_pam; }
sssd_pids() { pids sssd sssd_be sssd_nss sssd_pam; }
sssd_fresh() { kill -USR2 "$(cat /run/sssd.pid)"; } # look for the directory at once, not in a minute
sssd_sync() { # forget what was kept
	sssd_stop
	rm -f /var/lib/sss/{db,mc}/*
	sssd_start
}
sssd_file() { echo /var/lib/sss/mc/passwd; }
sssd_socket() { echo /var/lib/sss/pipes/nss; }
sssd_packages() { versions sssd-ldap; }

# ---- nss-pam-ldapd ----

alias_ldap nslcd
nslcd_setup() {
	directory
	cat >/etc/nslcd.conf <<-END
		uid nslcd
		gid nslcd
		uri ldaps://localhost
		base $BASE
		tls_reqcert demand
		tls_cacertfile $CERT
		nss_initgroups_ignoreusers ALLLOCAL
	END
	mkdir -p /run/nslcd
	chown nslcd: /run/nslcd
	nsswitch ldap
	stacks ldap
	nslcd_start
}
nslcd_start() { start nslcd; }
nslcd_stop() { ended KILL nslcd; }
nslcd_pids() { pids nslcd; }
nslcd_fresh() { kill -USR1 "$(cat /run/nslcd/nslcd.pid)"; }
nslcd_sync() { :; }
nslcd_file() { :; }
nslcd_socket() { echo /run/nslcd/socket; }
nslcd_packages() { versions nslcd; }

# ---- libnss-cache, with pam_unix. nsscache, which fills its files, is not in Debian 12: cache_sync stands in for it ----

alias_ldap cache
cache_setup() {
	directory
	nsswitch cache
	stacks unix
	cache_sync
}
cache_sync() { # as nsscache does from cron; without its index files, which ten people do not need
	(
		umask 077
		ldap_read objectClass=posixAccount uid userPassword shadowExpire uidNumber homeDirectory | awk -v RS= -F '\n' '{
			split("", v)
			for (i = 1; i <= NF; i++) { at = index($i, ":"); v[substr($i, 1, at - 1)] = substr($i, at + 1) }
			gsub(/[: ]/, "", v["userPassword"])
			print v["uid"], v["uidNumber"], v["homeDirectory"], v["userPassword"], v["shadowExpire"] }' |
			while read -r name id home hash expire; do
				echo "$name:x:$id:20000:$name:$home:/bin/bash" >&3
				hash=$(base64 -d <<<"$hash")
				echo "$name:${hash#*\}}:20000:::::$expire:" >&4
			done 3>/etc/passwd.cache.new 4>/etc/shadow.cache.new
		ldap_read objectClass=posixGroup | awk -v RS= -F '\n' '{
			name = id = members = ""
			for (i = 1; i <= NF; i++) {
				split($i, v, ": ")
				if (v[1] == "cn") name = v[2]
				if (v[1] == "gidNumber") id = v[2]
				if (v[1] == "memberUid") members = members (members == "" ? "" : ",") v[2]
			}
			print name ":x:" id ":" members }' >/etc/group.cache.new
	) || return
	chmod 644 /etc/{passwd,group}.cache.new
	for name in passwd group shadow; do
		mv "/etc/$name.cache.new" "/etc/$name.cache"
	done
}
cache_start() { :; }
cache_stop() { :; }
cache_pids() { :; }
cache_fresh() { :; }
cache_file() { echo /etc/passwd.cache; }
cache_socket() { :; }
cache_packages() { versions libnss-cache; }

# ---- ours ----

hexabot_setup() {
	make -s -o all -C "$PROJECT" BUILD="$BUILD" install >/dev/null
	nsswitch hexabot
	stacks hexabot hexabot-password
	useradd --system --home-dir /srv/hexabot --shell /usr/sbin/nologin hexabot
	mkdir /srv/hexabot
	sqlite3 -bail "$STORE" <"$PROJECT/tests/data/mixed.sql"
	sqlite3 "$STORE" "UPDATE users SET state = 1; DELETE FROM user_roles;
		INSERT INTO user_roles SELECT users.id, roles.id FROM users, roles WHERE type = 'UserOrmEntity' AND name = 'manager';
		INSERT INTO user_roles SELECT users.id, roles.id FROM users, roles WHERE username IN ('mona', 'ada', 'max') AND
			name = 'operators'"
	chown hexabot: "$STORE" /srv/hexabot
	chmod 640 "$STORE"
	hexactl init --store "$STORE" >/dev/null
	hexabot_start
}
hexabot_start() {
	hexactl watch >/dev/null 2>&1 </dev/null &
}
hexabot_stop() { ended KILL hexactl; }
hexabot_pids() { pids hexactl; }
hexabot_fresh() { :; }
hexabot_sync() { hexactl publish >/dev/null; }
hexabot_file() { echo "$MAP"; }
hexabot_socket() { :; }
hexabot_packages() { echo "this tree"; }
hexabot_disable() { sql "UPDATE users SET state = 0 WHERE username = '$1'"; }
hexabot_enable() { sql "UPDATE users SET state = 1 WHERE username = '$1'"; }
hexabot_leave() { sql_role remove "$1" operators; }
hexabot_join() { sql_role add "$1" operators; }
hexabot_add() { # Ids are not the store's to give.
	case $1 in
	user) sql_user "$2" manager ;;
	group)
		sql "INSERT INTO roles (id, created_at, updated_at, name, active)
			SELECT '$2', created_at, updated_at, '$2', 1 FROM roles WHERE name = 'manager'"
		sql_role add mona "$2"
		;;
	esac
}
hexabot_source() {
	case $1 in
	gone) mv "$STORE" "$STORE.away" ;;
	hangs) sql_open 'BEGIN EXCLUSIVE' ;;
	back) if [ -e "$STORE.away" ]; then mv "$STORE.away" "$STORE"; else sql_kill; fi ;;
	esac
}
