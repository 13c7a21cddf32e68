/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "names.h"

/*
 * Names with a meaning on Debian hosts, sorted: base-passwd's users and groups, the groups that some
 * package's policy grants rights to, usual daemon accounts, and the users of cloud images, whose sudoers
 * lines outlive them. A name with a leading underscore (_apt) is reserved as a whole class: see below.
 */
/* clang-format off */
static const char *const reserved_names[] = {
	"adm", "almalinux", "amavis", "audio", "avahi", "avahi-autoipd", "azureuser", "backup", "bin", "bind",
	"cdrom", "centos", "chrony", "clamav", "cloud-user", "colord", "core", "crontab", "daemon", "debian",
	"debian-exim", "debian-gdm", "debian-snmp", "debian-spamd", "debian-tor", "dialout", "dip", "disk",
	"dnsmasq", "docker", "dovecot", "dovenull", "ec2-user", "elasticsearch", "fax", "fedora", "floppy",
	"ftp", "games", "gdm", "geoclue", "git", "gitlab-runner", "gnats", "grafana", "haproxy", "hplip",
	"input", "irc", "jenkins", "kmem", "kubernetes", "kvm", "landscape", "ldap", "libvirt",
	"libvirt-dnsmasq", "libvirt-qemu", "lightdm", "list", "lp", "lpadmin", "lxc", "lxd", "mail", "man",
	"memcache", "messagebus", "mlocate", "mongodb", "munin", "mysql", "nagios", "named", "netdev", "news",
	"nobody", "nogroup", "nslcd", "ntp", "ntpsec", "opc", "openldap", "operator", "pi", "plocate",
	"plugdev", "podman", "polkitd", "postdrop", "postfix", "postgres", "postgresql", "prometheus", "proxy",
	"pulse", "rabbitmq", "redis", "render", "rocky", "root", "rtkit", "saned", "sasl", "scanner", "sgx",
	"shadow", "shutdown", "speech-dispatcher", "src", "ssh", "ssh_keys", "sshd", "ssl-cert", "sssd",
	"staff", "statd", "sudo", "sudoers", "sync", "sys", "syslog", "systemd-coredump", "systemd-journal",
	"systemd-network", "systemd-oom", "systemd-resolve", "systemd-timesync", "tape", "tcpdump", "tomcat",
	"toor", "tss", "tty", "ubuntu", "unbound", "usbmux", "users", "utempter", "utmp", "uucp", "uuidd",
	"vagrant", "vboxusers", "video", "voice", "wheel", "wireshark", "www-data", "zabbix",
};
/* clang-format on */

static bool
ascii_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool
hxb_login_valid(const char *name)
{
	size_t length = strnlen(name, HXB_LOGIN_MAX + 1);

	if (length == 0 || length > HXB_LOGIN_MAX || !(ascii_letter(name[0]) || name[0] == '_'))
		return false;
	for (size_t i = 1; i < length; i++) {
		if (!ascii_letter(name[i]) && !(name[i] >= '0' && name[i] <= '9') &&
		    strchr("_.-", name[i]) == NULL)
			return false;
	}
	return true;
}

static int
compare_reserved(const void *key, const void *element)
{
	const char *const *name = element;

	return strcasecmp(key, *name);
}

bool
hxb_name_reserved(const char *name)
{
	if (name[0] == '_' || strncasecmp(name, "systemd-", 8) == 0)
		return true; /* Debian's convention for packages' accounts, and systemd's dynamic ones */
	return bsearch(name, reserved_names, sizeof(reserved_names) / sizeof(*reserved_names),
	           sizeof(*reserved_names), compare_reserved) != NULL;
}

bool
hxb_login_reserved(const char *name)
{
	return hxb_name_reserved(name) || strncasecmp(name, "hexabot-", 8) == 0 ||
	    strncasecmp(name, "hexabot.", 8) == 0;
}

/* Control characters, and marks that break the line or turn the direction of writing. */
static bool
unsafe_in_gecos(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == ':' || c == ',' || c == 0x61c ||
	    (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* The length of the UTF-8 character at p, or 0 if there is none that may be shown in a passwd line. */
static size_t
gecos_character(const unsigned char *p)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 }; /* else it has a shorter form */
	size_t length;
	uint32_t c;

	length = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : 4;
	if (length == 4 && (p[0] & 0xf8) != 0xf0)
		return 0;
	c = length == 1 ? p[0] : p[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || unsafe_in_gecos(c))
		return 0;
	return length;
}

static size_t
append_gecos(char *gecos, size_t used, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t length;

	while (*p != '\0') {
		length = gecos_character(p);
		if (used + length > HXB_GECOS_MAX)
			break;
		memcpy(gecos + used, p, length);
		used += length;
		p += length > 0 ? length : 1;
	}
	gecos[used] = '\0';
	return used;
}

void
hxb_gecos(const char *first, const char *last, char gecos[HXB_GECOS_MAX + 1])
{
	size_t used;

	used = append_gecos(gecos, 0, first);
	if (used > 0 && last[0] != '\0')
		used = append_gecos(gecos, used, " ");
	append_gecos(gecos, used, last);
}

char *
hxb_expand_login(const char *format, const char *login)
{
	size_t size = 1, length = strlen(login);
	char *text, *end;

	for (const char *p = format; *p != '\0'; p++)
		size += p[0] == '%' && p[1] == 'u' ? length : 1;
	text = malloc(size);
	if (text == NULL)
		return NULL;
	end = text;
	for (const char *p = format; *p != '\0'; p++) {
		if (p[0] == '%' && p[1] == 'u') {
			memcpy(end, login, length);
			end += length;
			p++;
		} else {
			*end++ = *p;
		}
	}
	*end = '\0';
	return text;
}

struct hxb_host_names {
	char **names;
	uint32_t *ids;
	size_t name_count, id_count;
	size_t name_room, id_room;
};

static bool
remember(struct hxb_host_names *host, const char *name, uint32_t id)
{
	void *grown;

	if (host->name_count == host->name_room) {
		host->name_room = host->name_room * 2 + 64;
		grown = reallocarray(host->names, host->name_room, sizeof(*host->names));
		if (grown == NULL)
			return false;
		host->names = grown;
	}
	if (host->id_count == host->id_room) {
		host->id_room = host->id_room * 2 + 64;
		grown = reallocarray(host->ids, host->id_room, sizeof(*host->ids));
		if (grown == NULL)
			return false;
		host->ids = grown;
	}
	host->names[host->name_count] = strdup(name);
	if (host->names[host->name_count] == NULL)
		return false;
	host->name_count++;
	host->ids[host->id_count++] = id;
	return true;
}

static int
compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcasecmp(*x, *y);
}

static int
compare_ids(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool
read_passwd(struct hxb_host_names *host, FILE *file)
{
	const struct passwd *pw;

	while (errno = 0, (pw = fgetpwent(file)) != NULL) {
		if (!remember(host, pw->pw_name, pw->pw_uid))
			return false;
	}
	return errno == 0 || errno == ENOENT;
}

static bool
read_group(struct hxb_host_names *host, FILE *file)
{
	const struct group *gr;

	while (errno = 0, (gr = fgetgrent(file)) != NULL) {
		if (!remember(host, gr->gr_name, gr->gr_gid))
			return false;
	}
	return errno == 0 || errno == ENOENT;
}

enum hxb_result
hxb_host_names_load(
    const char *passwd, const char *group, struct hxb_host_names **names, struct hxb_error *error)
{
	struct hxb_host_names *host = NULL;
	FILE *file = NULL;
	const char *path = passwd;
	enum hxb_result r = HXB_FAILED;

	*names = NULL;
	host = calloc(1, sizeof(*host));
	if (host == NULL)
		goto out;
	file = fopen(passwd, "re");
	if (file == NULL || !read_passwd(host, file))
		goto out;
	fclose(file);
	path = group;
	file = fopen(group, "re");
	if (file == NULL || !read_group(host, file))
		goto out;
	if (host->name_count > 0) {
		qsort(host->names, host->name_count, sizeof(*host->names), compare_names);
		qsort(host->ids, host->id_count, sizeof(*host->ids), compare_ids);
	}
	*names = host;
	host = NULL;
	r = HXB_OK;
out:
	if (r != HXB_OK)
		hxb_fail(error, r, "%s: %m", path);
	if (file != NULL)
		fclose(file);
	hxb_host_names_free(host);
	return r;
}

void
hxb_host_names_free(struct hxb_host_names *host)
{
	if (host == NULL)
		return;
	for (size_t i = 0; i < host->name_count; i++)
		free(host->names[i]);
	free(host->names);
	free(host->ids);
	free(host);
}

bool
hxb_host_has_name(const struct hxb_host_names *host, const char *name)
{
	return host->name_count > 0 &&
	    bsearch(&name, host->names, host->name_count, sizeof(*host->names), compare_names) != NULL;
}

bool
hxb_host_has_id(const struct hxb_host_names *host, uint32_t id)
{
	return host->id_count > 0 &&
	    bsearch(&id, host->ids, host->id_count, sizeof(*host->ids), compare_ids) != NULL;
}
