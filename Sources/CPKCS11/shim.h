#pragma once

/* PKCS #11 is a table of functions; Swift gets those that are needed as functions, with the loops over slots and objects.
   p11-kit gives the header, finds and loads modules, and reads the URIs of RFC 7512. */
#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>
#include <string.h>

static const unsigned long cpkcs11_ok = CKR_OK;
static const unsigned long cpkcs11_rsa = CKM_RSA_PKCS;
static const unsigned long cpkcs11_ecdsa = CKM_ECDSA;
static const unsigned long cpkcs11_private_key = CKO_PRIVATE_KEY;
static const unsigned long cpkcs11_certificate = CKO_CERTIFICATE;
static const unsigned long cpkcs11_wrong_pin = CKR_PIN_INCORRECT;
static const unsigned long cpkcs11_locked_pin = CKR_PIN_LOCKED;
static const int cpkcs11_uri_any = P11_KIT_URI_FOR_ANY;

static inline CK_FUNCTION_LIST *cpkcs11_load(const char *path) {
    return p11_kit_module_load(path, P11_KIT_MODULE_UNMANAGED | P11_KIT_MODULE_CRITICAL);
}

/* With the locks of the system: calls come from several threads. */
static inline CK_RV cpkcs11_initialize(CK_FUNCTION_LIST *module) {
    CK_C_INITIALIZE_ARGS arguments;
    memset(&arguments, 0, sizeof arguments);
    arguments.flags = CKF_OS_LOCKING_OK;
    CK_RV result = module->C_Initialize(&arguments);
    return result == CKR_CRYPTOKI_ALREADY_INITIALIZED ? CKR_OK : result;
}
static inline CK_RV cpkcs11_finalize(CK_FUNCTION_LIST *module) { return module->C_Finalize(NULL); }

/* The slot of the one token that the URI names; count says how many there are. */
static inline CK_RV cpkcs11_find_token(CK_FUNCTION_LIST *module, P11KitUri *uri, CK_SLOT_ID *slot, int *count) {
    CK_SLOT_ID slots[256];
    CK_ULONG number = 0;
    *count = 0;
    /* Asked without a place first, a module looks for new tokens (PKCS #11 v2.40, C_GetSlotList). */
    CK_RV result = module->C_GetSlotList(CK_TRUE, NULL, &number);
    if (result != CKR_OK) return result;
    number = sizeof slots / sizeof *slots;
    result = module->C_GetSlotList(CK_TRUE, slots, &number);
    if (result != CKR_OK) return result;
    for (CK_ULONG index = 0; index < number; index++) {
        CK_TOKEN_INFO info;
        if (module->C_GetTokenInfo(slots[index], &info) != CKR_OK) continue;
        if (!(info.flags & CKF_TOKEN_INITIALIZED) || !p11_kit_uri_match_token_info(uri, &info)) continue;
        if ((*count)++ == 0) *slot = slots[index];
    }
    return CKR_OK;
}

static inline CK_RV cpkcs11_open(CK_FUNCTION_LIST *module, CK_SLOT_ID slot, CK_SESSION_HANDLE *session) {
    return module->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, session);
}
static inline CK_RV cpkcs11_close(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session) {
    return module->C_CloseSession(session);
}

/* The login is that of the process, and holds for all its sessions with a token. */
static inline CK_RV cpkcs11_login(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session, const char *pin, size_t length) {
    CK_RV result = module->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)pin, (CK_ULONG)length);
    return result == CKR_USER_ALREADY_LOGGED_IN ? CKR_OK : result;
}

/* The one object of a class that the URI names; count says how many there are. */
static inline CK_RV cpkcs11_find_object(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session, P11KitUri *uri,
                                        CK_OBJECT_CLASS kind, CK_OBJECT_HANDLE *found, int *count) {
    CK_ATTRIBUTE wanted[16];
    CK_ULONG given = 0, number = 0;
    CK_ATTRIBUTE *attributes = p11_kit_uri_get_attributes(uri, &given);
    CK_OBJECT_HANDLE objects[2];
    *count = 0;
    wanted[number++] = (CK_ATTRIBUTE){CKA_CLASS, &kind, sizeof kind};
    for (CK_ULONG index = 0; index < given && number < 16; index++)
        if (attributes[index].type != CKA_CLASS) wanted[number++] = attributes[index];
    CK_RV result = module->C_FindObjectsInit(session, wanted, number);
    if (result != CKR_OK) return result;
    CK_ULONG hits = 0;
    result = module->C_FindObjects(session, objects, 2, &hits);
    module->C_FindObjectsFinal(session);
    if (result != CKR_OK) return result;
    *count = (int)hits;
    if (hits > 0) *found = objects[0];
    return CKR_OK;
}

/* CKA_VALUE; room is what there is place for, and then what was written. */
static inline CK_RV cpkcs11_value(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                  unsigned char *octets, CK_ULONG *room) {
    CK_ATTRIBUTE attribute = {CKA_VALUE, octets, *room};
    CK_RV result = module->C_GetAttributeValue(session, object, &attribute, 1);
    *room = attribute.ulValueLen;
    return result;
}

static inline CK_RV cpkcs11_sign(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                                 CK_MECHANISM_TYPE mechanism, const char *pin, size_t pin_length,
                                 const unsigned char *data, size_t size, unsigned char *signature, CK_ULONG *room) {
    CK_MECHANISM how = {mechanism, NULL, 0};
    CK_BBOOL asks = CK_FALSE;
    CK_ATTRIBUTE attribute = {CKA_ALWAYS_AUTHENTICATE, &asks, sizeof asks};
    CK_RV result = module->C_SignInit(session, &how, key);
    if (result != CKR_OK) return result;
    /* Some tokens want the PIN again for each signature of such a key. */
    if (module->C_GetAttributeValue(session, key, &attribute, 1) == CKR_OK && asks) {
        result = module->C_Login(session, CKU_CONTEXT_SPECIFIC, (CK_UTF8CHAR_PTR)pin, (CK_ULONG)pin_length);
        if (result != CKR_OK) return result;
    }
    return module->C_Sign(session, (CK_BYTE_PTR)data, (CK_ULONG)size, signature, room);
}
