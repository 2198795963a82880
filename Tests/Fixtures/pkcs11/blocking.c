/* A PKCS #11 module in front of SoftHSM whose signatures do not end while the file BLOCKING_SWITCH is there: a device that
   does not answer. */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static CK_FUNCTION_LIST functions, *real;

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG size, CK_BYTE *signature, CK_ULONG *room) {
    const char *path = getenv("BLOCKING_SWITCH");
    while (path != NULL && access(path, F_OK) == 0) usleep(20000);
    return real->C_Sign(session, data, size, signature, room);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
    void *library = dlopen("/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW | RTLD_LOCAL);
    CK_RV (*get)(CK_FUNCTION_LIST **) = library ? (CK_RV(*)(CK_FUNCTION_LIST **))dlsym(library, "C_GetFunctionList") : NULL;
    if (get == NULL || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
    functions = *real;
    functions.C_GetFunctionList = C_GetFunctionList;
    functions.C_Sign = sign;
    *list = &functions;
    return CKR_OK;
}
