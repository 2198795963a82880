#pragma once

/* Easy and multi handles become distinct opaque types. */
#define CURL_STRICTER 1
#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>
#include <dlfcn.h>

/* libcurl brings thirty other libraries with it, whose loading takes longer than all else that a command does which
   needs no network. It is therefore loaded when it is needed, and each of its functions is looked up once. */

/* Loads the library: nothing, or why it cannot be. Each other function here may be called only after it was. */
static inline const char *ccurl_load(void) {
    void *library = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL);
    if (!library) return dlerror();
    /* The youngest of its functions that is called here. */
    return dlsym(library, "curl_multi_wakeup") ? 0 : "libcurl.so.4 is too old: 7.68 or later is needed";
}

/* Each file that calls a function keeps its address. The library is never unloaded, so opening it again costs little. */
#define CCURL(name) CCURL_AS(function, name)
#define CCURL_AS(function, name) \
    static __typeof__(&name) kept; \
    __typeof__(&name) function = __atomic_load_n(&kept, __ATOMIC_ACQUIRE); \
    if (!function) { \
        function = (__typeof__(&name))dlsym(dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL), #name); \
        __atomic_store_n(&kept, function, __ATOMIC_RELEASE); \
    }

static inline CURLcode ccurl_global_init(long flags) { CCURL(curl_global_init) return function(flags); }
static inline CURL *ccurl_easy_init(void) { CCURL(curl_easy_init) return function(); }
static inline void ccurl_easy_cleanup(CURL *handle) { CCURL(curl_easy_cleanup) function(handle); }
static inline CURLcode ccurl_easy_perform(CURL *handle) { CCURL(curl_easy_perform) return function(handle); }
static inline CURLcode ccurl_easy_send(CURL *handle, const void *octets, size_t count, size_t *sent) {
    CCURL(curl_easy_send) return function(handle, octets, count, sent);
}
static inline CURLcode ccurl_easy_recv(CURL *handle, void *octets, size_t count, size_t *received) {
    CCURL(curl_easy_recv) return function(handle, octets, count, received);
}
static inline const char *ccurl_easy_strerror(CURLcode code) { CCURL(curl_easy_strerror) return function(code); }
static inline struct curl_slist *ccurl_slist_append(struct curl_slist *list, const char *text) {
    CCURL(curl_slist_append) return function(list, text);
}
static inline void ccurl_slist_free_all(struct curl_slist *list) { CCURL(curl_slist_free_all) function(list); }
static inline CURLM *ccurl_multi_init(void) { CCURL(curl_multi_init) return function(); }
static inline CURLMcode ccurl_multi_cleanup(CURLM *multi) { CCURL(curl_multi_cleanup) return function(multi); }
static inline CURLMcode ccurl_multi_wakeup(CURLM *multi) { CCURL(curl_multi_wakeup) return function(multi); }
static inline CURLMcode ccurl_multi_perform(CURLM *multi, int *running) {
    CCURL(curl_multi_perform) return function(multi, running);
}
static inline CURLMcode ccurl_multi_poll(
    CURLM *multi, struct curl_waitfd *extra, unsigned int count, int milliseconds, int *ready) {
    CCURL(curl_multi_poll) return function(multi, extra, count, milliseconds, ready);
}
static inline CURLMcode ccurl_multi_add_handle(CURLM *multi, CURL *handle) {
    CCURL(curl_multi_add_handle) return function(multi, handle);
}
static inline CURLMcode ccurl_multi_remove_handle(CURLM *multi, CURL *handle) {
    CCURL(curl_multi_remove_handle) return function(multi, handle);
}
static inline CURLMsg *ccurl_multi_info_read(CURLM *multi, int *left) {
    CCURL(curl_multi_info_read) return function(multi, left);
}
static inline const char *ccurl_multi_strerror(CURLMcode code) { CCURL(curl_multi_strerror) return function(code); }

/* Variadic functions cannot be called from Swift: one wrapper for each type of argument. */

static inline CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value) {
    CCURL_AS(setopt, curl_easy_setopt)
    return setopt(handle, option, value);
}

static inline CURLcode ccurl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    CCURL_AS(setopt, curl_easy_setopt)
    return setopt(handle, option, value);
}

static inline CURLcode ccurl_set_string(CURL *handle, CURLoption option, const char *value) {
    CCURL_AS(setopt, curl_easy_setopt)
    return setopt(handle, option, value);
}

static inline CURLcode ccurl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    CCURL_AS(setopt, curl_easy_setopt)
    return setopt(handle, option, value);
}

static inline CURLcode ccurl_set_blob(CURL *handle, CURLoption option, const void *data, size_t count) {
    CCURL_AS(setopt, curl_easy_setopt)
    struct curl_blob blob = {(void *)data, count, CURL_BLOB_COPY};
    return setopt(handle, option, &blob);
}

static inline CURLcode ccurl_set_buffer(CURL *handle, CURLoption option, char *buffer) {
    CCURL_AS(setopt, curl_easy_setopt)
    return setopt(handle, option, buffer);
}

typedef size_t (*ccurl_transfer_callback)(char *octets, size_t size, size_t count, void *context);
typedef int (*ccurl_seek_callback)(void *context, curl_off_t offset, int origin);

static inline CURLcode ccurl_set_transfer_callback(
    CURL *handle, CURLoption function, ccurl_transfer_callback callback, CURLoption data, void *context) {
    CCURL_AS(setopt, curl_easy_setopt)
    CURLcode code = setopt(handle, function, callback);
    return code != CURLE_OK ? code : setopt(handle, data, context);
}

static inline CURLcode ccurl_set_seek_callback(CURL *handle, ccurl_seek_callback callback, void *context) {
    CCURL_AS(setopt, curl_easy_setopt)
    CURLcode code = setopt(handle, CURLOPT_SEEKFUNCTION, callback);
    return code != CURLE_OK ? code : setopt(handle, CURLOPT_SEEKDATA, context);
}

static inline CURLcode ccurl_get_long(CURL *handle, CURLINFO info, long *value) {
    CCURL_AS(getinfo, curl_easy_getinfo)
    return getinfo(handle, info, value);
}

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    CCURL_AS(setopt, curl_multi_setopt)
    return setopt(multi, option, value);
}

/* A field of a union, which Swift sees as a method of no use. */
static inline CURLcode ccurl_result(const CURLMsg *message) { return message->data.result; }

/* Macros whose casts Swift cannot read. */
static const size_t ccurl_read_abort = CURL_READFUNC_ABORT;
static const long ccurl_auth_basic = (long)CURLAUTH_BASIC;
static const long ccurl_auth_digest = (long)CURLAUTH_DIGEST;

typedef int (*ccurl_progress_callback)(
    void *context, curl_off_t to_get, curl_off_t got, curl_off_t to_send, curl_off_t sent);
typedef int (*ccurl_debug_callback)(CURL *handle, curl_infotype type, char *octets, size_t count, void *context);

static inline CURLcode ccurl_set_progress_callback(CURL *handle, ccurl_progress_callback callback, void *context) {
    CCURL_AS(setopt, curl_easy_setopt)
    CURLcode code = setopt(handle, CURLOPT_XFERINFOFUNCTION, callback);
    if (code == CURLE_OK) code = setopt(handle, CURLOPT_XFERINFODATA, context);
    return code != CURLE_OK ? code : setopt(handle, CURLOPT_NOPROGRESS, 0L);
}

static inline CURLcode ccurl_set_debug_callback(CURL *handle, ccurl_debug_callback callback, void *context) {
    CCURL_AS(setopt, curl_easy_setopt)
    CURLcode code = setopt(handle, CURLOPT_DEBUGFUNCTION, callback);
    if (code == CURLE_OK) code = setopt(handle, CURLOPT_DEBUGDATA, context);
    return code != CURLE_OK ? code : setopt(handle, CURLOPT_VERBOSE, 1L);
}

static inline CURLcode ccurl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
    CCURL_AS(getinfo, curl_easy_getinfo)
    return getinfo(handle, info, value);
}

static inline CURLcode ccurl_get_string(CURL *handle, CURLINFO info, const char **value) {
    CCURL_AS(getinfo, curl_easy_getinfo)
    return getinfo(handle, info, value);
}

typedef curl_socket_t (*ccurl_socket_callback)(void *context, curlsocktype purpose, struct curl_sockaddr *address);

static inline CURLcode ccurl_set_socket_callback(CURL *handle, ccurl_socket_callback callback, void *context) {
    CCURL_AS(setopt, curl_easy_setopt)
    CURLcode code = setopt(handle, CURLOPT_OPENSOCKETFUNCTION, callback);
    return code != CURLE_OK ? code : setopt(handle, CURLOPT_OPENSOCKETDATA, context);
}

static inline CURLcode ccurl_get_socket(CURL *handle, curl_socket_t *value) {
    CCURL_AS(getinfo, curl_easy_getinfo)
    return getinfo(handle, CURLINFO_ACTIVESOCKET, value);
}
