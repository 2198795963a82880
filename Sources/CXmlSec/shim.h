#pragma once

/* What xmlsec1's pkg-config file gives as -D, which the package manager drops. XMLSEC_NO_SIZE_T makes xmlSecSize an
   unsigned int, as Debian builds it: without it structures have another layout. */
#define XMLSEC_NO_SIZE_T 1
#define XMLSEC_OPENSSL3_ENGINES 1
#define XMLSEC_NO_GOST 1
#define XMLSEC_NO_GOST2012 1
#define XMLSEC_NO_CRYPTO_DYNAMIC_LOADING 1
#define XMLSEC_CRYPTO_OPENSSL 1
#define __XMLSEC_FUNCTION__ __func__

/* Debian's libxml2 is built with ICU, whose headers collide with the ones inside Foundation. Without this macro only
   trailing fields of xmlCharEncodingHandler disappear, and those are never read here. */
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED

#include <libxml/SAX2.h>
#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <libxml/xmlIO.h>
#include <libxml/xmlerror.h>

#include <xmlsec/xmlsec.h>
#include <xmlsec/buffer.h>
#include <xmlsec/errors.h>
#include <xmlsec/io.h>
#include <xmlsec/keys.h>
#include <xmlsec/keysdata.h>
#include <xmlsec/transforms.h>
#include <xmlsec/openssl/app.h>
#include <xmlsec/openssl/crypto.h>
#include <xmlsec/openssl/evp.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

/* xmlFree is a mutable global variable. */
static inline void cxmlsec_free(void *memory) { xmlFree(memory); }

/* RSASSA-PSS with a salt as long as the digest (RFC 9231 section 2.3.10), which xmlsec1 has only from 1.3 on: 1 when the
   signature is good, 0 when it is not, less when it cannot be told. */
static inline int cxmlsec_pss_verify(xmlSecKeyPtr key, const char *digest, const unsigned char *signature,
                                     size_t signature_size, const unsigned char *octets, size_t size) {
    xmlSecKeyDataPtr value = xmlSecKeyGetValue(key);
    if (value == NULL || value->id != xmlSecOpenSSLKeyDataRsaGetKlass()) return -1;
    EVP_PKEY *pkey = xmlSecOpenSSLEvpKeyDataGetEvp(value);
    const EVP_MD *md = EVP_get_digestbyname(digest);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    int result = -1;
    if (pkey != NULL && md != NULL && context != NULL
        && EVP_DigestVerifyInit(context, &parameters, md, NULL, pkey) == 1
        && EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1
        && EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1)
        result = EVP_DigestVerify(context, signature, signature_size, octets, size) == 1;
    EVP_MD_CTX_free(context);
    return result;
}
