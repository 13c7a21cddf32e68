/* SPDX-License-Identifier: ISC */
/*
 * Preloaded into every process of a test host whose modules were built with sanitizers: such a module needs
 * the runtime first in programs that know nothing of it, and programs with secure execution take no
 * environment.
 */
#define OPTIONS \
	"verify_asan_link_order=0:detect_leaks=0:detect_odr_violation=0:print_stacktrace=1:log_path=/tmp/" \
	"sanitizer/report"

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *
__asan_default_options(void)
{
	return OPTIONS;
}

const char *
__ubsan_default_options(void)
{
	return OPTIONS;
}
