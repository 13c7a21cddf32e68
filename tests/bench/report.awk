# SPDX-License-Identifier: ISC
# bench.tsv as Markdown: the machine, the goals of the project, and all figures.

BEGIN {
	FS = "\t"
	columns = split("hexabot hexabot+nsswitch files extrausers cache db sqlite nscd sss", backend, " ")
	split("hexabot,hexabot (nsswitch.conf),files,libnss-extrausers,libnss-cache,libnss-db,SQLite per call,nscd,SSSD", \
		title, ",")
	lookups = split("getpwnam getpwuid getgrnam getgrgid initgroups", lookup, " ")
	split("hit miss hot", kind, " ")
	others = split("getpwent getent getent-behind-files load", other, " ")
	split("enumeration, an entry|getent(1), fresh process|getent(1), behind files|loading the library", words, "|")
	stages = split("auth auth-whole account account-whole", stage, " ")
	split("auth|auth, pam_start to pam_end|account|account, pam_start to pam_end", stage_words, "|")
}

$1 == "machine" { machine[$2] = $3; next }
$1 == "note" { notes = notes "- " $3 " with " $4 " users: " $5 "\n"; next }
{
	value[$1, $2, $3, $4] = $5
	if ($1 == "calls") { calls_size = $4; next }
	if (!($4 in seen)) { seen[$4] = 1; size[++sizes] = $4 }
	if ($10 > 0) notes = notes "- " $3 ", " $1 " " $2 " with " $4 " users: " $10 " wrong answers\n"
}

function digits(x) { return sprintf(x < 10 ? "%.2f" : x < 100 ? "%.1f" : "%.0f", x) }

function span(ns) {
	if (ns < 1e3) return digits(ns) " ns"
	if (ns < 1e6) return digits(ns / 1e3) " µs"
	if (ns < 1e9) return digits(ns / 1e6) " ms"
	return digits(ns / 1e9) " s"
}

function count(n,    text) { # 1000000 as 1,000,000
	for (text = ""; n >= 1000; n = int(n / 1000)) text = sprintf(",%03d", n % 1000) text
	return n text
}

function has(metric, keys, name, n) { return (metric, keys, name, n) in value }

function cell(metric, keys, name, n) { return has(metric, keys, name, n) ? span(value[metric, keys, name, n]) : "–" }

function header(first, i) {
	printf "| %s |", first
	for (i = 1; i <= columns; i++) printf " %s |", title[i]
	printf "\n|---|"
	for (i = 1; i <= columns; i++) printf "--:|"
	print ""
}

function row(name, metric, keys, n,    i) {
	printf "| %s |", name
	for (i = 1; i <= columns; i++) printf " %s |", cell(metric, keys, backend[i], n)
	print ""
}

# A ratio against its goal, if both sides were measured.
function goal(what, limit, text, a_metric, a_keys, a_name, a_size, b_metric, b_keys, b_name, b_size,    a, b) {
	if (!has(a_metric, a_keys, a_name, a_size) || !has(b_metric, b_keys, b_name, b_size)) {
		printf "| %s | %s | not measured | |\n", what, text
		return
	}
	a = value[a_metric, a_keys, a_name, a_size]
	b = value[b_metric, b_keys, b_name, b_size]
	printf "| %s | %s | %s: %s against %s | %s |\n", what, text, \
		a < b / 10 ? sprintf("1/%.0f", b / a) : digits(a / b), span(a), span(b), a <= b * limit ? "met" : "**not met**"
}

function goal_value(what, limit, unit, metric, keys) {
	if (has(metric, keys, "hexabot", big))
		printf "| %s | at most %s %s | %s %s | %s |\n", what, limit, unit, digits(value[metric, keys, "hexabot", big]), \
			unit, value[metric, keys, "hexabot", big] <= limit ? "met" : "**not met**"
}

function goals(    i, all) {
	all = count(big) " users"
	print "\n## Goals\n\n| what | goal | measured | |\n|---|---|---|---|"
	goal("getpwnam, " all, 1 / 50, "at most 1/50 of libnss-db", "getpwnam", "hit", "hexabot", big, "getpwnam", "hit", "db", big)
	goal("getpwnam, hot set of 1,000", 0.5, "at most 0.5 of SSSD's memory cache", "getpwnam", "hot", "hexabot", big, \
		"getpwnam", "hot", "sss", big)
	goal("getpwnam, " all " against " count(small), 8, "at most 8 times", "getpwnam", "hit", "hexabot", big, \
		"getpwnam", "hit", "hexabot", small)
	for (i = 1; i <= lookups; i++)
		goal("miss of " lookup[i], 1, "at most a hit", lookup[i], "miss", "hexabot", big, lookup[i], "hit", "hexabot", big)
	goal("initgroups", 1.5, "at most 1.5 getpwnam", "initgroups", "hit", "hexabot", big, "getpwnam", "hit", "hexabot", big)
	goal("enumeration, an entry", 0.3, "at most 0.3 of files", "getpwent", "hit", "hexabot", big, "getpwent", "hit", "files", big)
	goal("getent, fresh process", 1.08, "at most 1.08 of files with " count(small), "getent", "hit", "hexabot", big, \
		"getent", "hit", "files", small)
	goal("getent, behind files", 1.08, "the same", "getent-behind-files", "hit", "hexabot", big, "getent", "hit", "files", small)
	goal("publish, " all, 2, "at most 2 times SQLite's read", "publish", "again", "hexabot", big, \
		"publish", "read-joined", "hexabot", big)
	goal("first publish (init), " all, 2, "the same", "publish", "first", "hexabot", big, "publish", "read-joined", "hexabot", big)
	goal_value("publish, peak memory", 100, "MB", "publish-memory", "again")
	goal_value("first publish, peak memory", 100, "MB", "publish-memory", "first")
	goal_value("map, a user", 130, "bytes", "bytes-a-user", "map")
	goal("account stage, " all, 1 / 200, "at most 1/200 of pam_unix", "account", "hit", "pam_hexabot", big, \
		"account", "hit", "pam_unix", big)
	goal("auth minus the hash, " count(small) " users", 3, "at most 3 times pam_unix", "auth", "hit", "pam_hexabot", small, \
		"auth", "hit", "pam_unix", small)
	goal("the same, " all, 3, "at most 3 times pam_unix with " count(small), "auth", "hit", "pam_hexabot", big, \
		"auth", "hit", "pam_unix", small)
	goal_value("memory of a process's own", 64, "KiB", "memory", "files")
	print "\nRatios of medians; random keys and hits unless said. Publish against the two plain scans of SQLite: " \
		digits(value["publish", "again", "hexabot", big] / value["publish", "read-plain", "hexabot", big]) " times."
}

function simple_table(first, metric, names, labels,    n, name, label, i, j) {
	n = split(names, name, ",")
	split(labels, label, ",")
	printf "| %s |", first
	for (j = 1; j <= n; j++) printf " %s |", label[j]
	printf "\n|---|"
	for (j = 1; j <= n; j++) printf "--:|"
	print ""
	for (i = 1; i <= sizes; i++) {
		printf "| %s |", count(size[i])
		for (j = 1; j <= n; j++) printf " %s |", metric == "publish" ? cell(metric, name[j], "hexabot", size[i]) : \
			digits(value[metric, name[j], "hexabot", size[i]])
		print ""
	}
}

function lookup_tables(    s, i, k) {
	for (s = 1; s <= sizes; s++) {
		print "\n## " count(size[s]) " users\n"
		header("a call")
		for (i = 1; i <= lookups; i++)
			for (k = 1; k <= 3; k++) row(lookup[i] ", " kind[k], lookup[i], kind[k], size[s])
		for (i = 1; i <= others; i++) row(words[i], other[i], "hit", size[s])
	}
}

function calls_and_memory(    i, j) {
	print "\n## System calls of a lookup, " count(calls_size) " users\n"
	header("a hit in the steady state")
	for (i = 1; i <= lookups; i++) {
		printf "| %s |", lookup[i]
		for (j = 1; j <= columns; j++)
			printf " %s |", has("calls", lookup[i], backend[j], calls_size) ? \
				value["calls", lookup[i], backend[j], calls_size] + 0 : "–"
		print ""
	}
	print "\n## Memory of a process's own after its lookups, KiB\n"
	header("anonymous pages")
	for (i = 1; i <= 2; i++)
		for (j = 1; j <= sizes; j++) memory_row(i == 1 ? "grown" : "files", size[j])
}

function memory_row(keys, n,    i) {
	printf "| %s, %s users |", keys == "grown" ? "all that grew" : "library and data files", count(n)
	for (i = 1; i <= columns; i++)
		printf " %s |", has("memory", keys, backend[i], n) ? value["memory", keys, backend[i], n] : "–"
	print ""
}

function pam(    s, i) {
	print "\n## PAM, without the time in crypt(3)\n\n| stage | users | pam_hexabot | pam_unix over files |\n|---|--:|--:|--:|"
	for (i = 1; i <= stages; i++)
		for (s = 1; s <= sizes; s++)
			printf "| %s | %s | %s | %s |\n", stage_words[i], count(size[s]), \
				cell(stage[i], "hit", "pam_hexabot", size[s]), cell(stage[i], "hit", "pam_unix", size[s])
}

END {
	small = big = size[1]
	for (i = 1; i <= sizes; i++) {
		if (size[i] + 0 < small + 0) small = size[i]
		if (size[i] + 0 > big + 0) big = size[i]
	}
	print "# Benchmark\n"
	print machine["cpu"] ", " machine["cores"] " cores, " machine["memory"] ", " machine["kernel"] ", " machine["glibc"] ", " \
		machine["system"] "; hexabot " machine["hexabot"] ", " machine["date"] ". Made by `make bench`."
	print "All files are in memory. Every backend is asked through glibc in a process of its own, in turn with the others; medians"
	print "of short batches. `hexabot (nsswitch.conf)` includes glibc's own look at that file at each call, which all have in"
	print "programs; the others were set by `__nss_configure_lookup()`. nscd and SSSD (proxy) stand before libnss-db."
	goals()
	lookup_tables()
	pam()
	print "\n## Publishing\n"
	simple_table("users", "publish", "read-joined,read-plain,again,first", \
		"SQLite reads the rows,SQLite's two plain scans,publish,init")
	print ""
	simple_table("users", "publish-memory", "again,first", "publish: peak MB,init: peak MB")
	print ""
	simple_table("users", "bytes-a-user", "map", "map: bytes a user")
	calls_and_memory()
	if (notes != "") print "\n## Notes\n\n" notes
}
