#pragma once

/* OpenSSL's stacks, many BIO calls and some names are macros, which Swift cannot see; flags are made unsigned here. */
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/objects.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs12err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

static const unsigned int copenssl_cms_binary = CMS_BINARY;
static const unsigned int copenssl_cms_detached = CMS_DETACHED;
static const unsigned int copenssl_cms_partial = CMS_PARTIAL;
static const unsigned int copenssl_cms_stream = CMS_STREAM;
static const unsigned int copenssl_cms_cades = CMS_CADES;
static const unsigned int copenssl_cms_no_capabilities = CMS_NOSMIMECAP;

static const unsigned long copenssl_ocsp_no_chain = OCSP_NOVERIFY;

static const unsigned long copenssl_xn_flag_rfc2253 = XN_FLAG_RFC2253;
static const unsigned long copenssl_esc_msb = ASN1_STRFLGS_ESC_MSB;
static const unsigned long copenssl_asn1_rfc2253 = ASN1_STRFLGS_RFC2253;

static const unsigned long copenssl_flag_crl_check = X509_V_FLAG_CRL_CHECK;
static const unsigned long copenssl_flag_crl_check_all = X509_V_FLAG_CRL_CHECK_ALL;
static const unsigned long copenssl_flag_extended_crl = X509_V_FLAG_EXTENDED_CRL_SUPPORT;
static const unsigned long copenssl_flag_deltas = X509_V_FLAG_USE_DELTAS;
static const unsigned long copenssl_flag_partial_chain = X509_V_FLAG_PARTIAL_CHAIN;
static const unsigned long copenssl_flag_trusted_first = X509_V_FLAG_TRUSTED_FIRST;
static const unsigned long copenssl_flag_policy_check = X509_V_FLAG_POLICY_CHECK;
static const unsigned long copenssl_flag_explicit_policy = X509_V_FLAG_EXPLICIT_POLICY;
static const unsigned long copenssl_flag_inhibit_mapping = X509_V_FLAG_INHIBIT_MAP;
static const unsigned long copenssl_flag_inhibit_any_policy = X509_V_FLAG_INHIBIT_ANY;

/* Stacks */
static inline int copenssl_certificates_count(const STACK_OF(X509) *stack) { return sk_X509_num(stack); }
static inline X509 *copenssl_certificates_at(const STACK_OF(X509) *stack, int index) { return sk_X509_value(stack, index); }
static inline STACK_OF(X509) *copenssl_certificates_new(void) { return sk_X509_new_null(); }
/* Takes one reference of its own. */
static inline int copenssl_certificates_add(STACK_OF(X509) *stack, X509 *certificate) {
    if (!X509_up_ref(certificate)) return 0;
    if (sk_X509_push(stack, certificate) > 0) return 1;
    X509_free(certificate);
    return 0;
}
static inline void copenssl_certificates_free(STACK_OF(X509) *stack) { sk_X509_pop_free(stack, X509_free); }

static inline int copenssl_crls_count(const STACK_OF(X509_CRL) *stack) { return sk_X509_CRL_num(stack); }
static inline X509_CRL *copenssl_crls_at(const STACK_OF(X509_CRL) *stack, int index) { return sk_X509_CRL_value(stack, index); }
static inline STACK_OF(X509_CRL) *copenssl_crls_new(void) { return sk_X509_CRL_new_null(); }
/* Takes one reference of its own. */
static inline int copenssl_crls_add(STACK_OF(X509_CRL) *stack, X509_CRL *list) {
    if (!X509_CRL_up_ref(list)) return 0;
    if (sk_X509_CRL_push(stack, list) > 0) return 1;
    X509_CRL_free(list);
    return 0;
}
/* Whether a list is about certificates of other issuers too (RFC 5280, section 5.2.5). */
static inline int copenssl_crl_is_indirect(const X509_CRL *list) {
    ISSUING_DIST_POINT *point = X509_CRL_get_ext_d2i(list, NID_issuing_distribution_point, NULL, NULL);
    int is_indirect = point && point->indirectCRL > 0;
    ISSUING_DIST_POINT_free(point);
    return is_indirect;
}
static inline void copenssl_crls_free(STACK_OF(X509_CRL) *stack) { sk_X509_CRL_pop_free(stack, X509_CRL_free); }

static inline int copenssl_signers_count(const STACK_OF(CMS_SignerInfo) *stack) { return sk_CMS_SignerInfo_num(stack); }
static inline CMS_SignerInfo *copenssl_signers_at(const STACK_OF(CMS_SignerInfo) *stack, int index) {
    return sk_CMS_SignerInfo_value(stack, index);
}

static inline GENERAL_NAMES *copenssl_alternative_names(X509 *certificate) {
    return X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}
static inline int copenssl_names_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
static inline const GENERAL_NAME *copenssl_names_at(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}
/* The string of an rfc822Name. */
static inline const ASN1_STRING *copenssl_rfc822_name(const GENERAL_NAME *name) {
    return name->type == GEN_EMAIL ? name->d.rfc822Name : NULL;
}
/* The string of a SmtpUTF8Mailbox (RFC 8398). */
static inline const ASN1_STRING *copenssl_smtp_utf8_mailbox(const GENERAL_NAME *name) {
    if (name->type != GEN_OTHERNAME || OBJ_obj2nid(name->d.otherName->type_id) != NID_id_on_SmtpUTF8Mailbox) return NULL;
    if (name->d.otherName->value->type != V_ASN1_UTF8STRING) return NULL;
    return name->d.otherName->value->value.utf8string;
}

/* The alternative names of a certificate but those of the kind SmtpUTF8Mailbox; NULL without names. */
static inline GENERAL_NAMES *copenssl_names_without_mailboxes(X509 *certificate) {
    GENERAL_NAMES *names = copenssl_alternative_names(certificate);
    for (int index = names ? sk_GENERAL_NAME_num(names) - 1 : -1; index >= 0; index--) {
        if (!copenssl_smtp_utf8_mailbox(sk_GENERAL_NAME_value(names, index))) continue;
        GENERAL_NAME_free(sk_GENERAL_NAME_delete(names, index));
    }
    return names;
}

static inline NAME_CONSTRAINTS *copenssl_name_constraints(X509 *certificate) {
    return X509_get_ext_d2i(certificate, NID_name_constraints, NULL, NULL);
}
static inline void copenssl_name_constraints_free(NAME_CONSTRAINTS *constraints) { NAME_CONSTRAINTS_free(constraints); }
static inline const STACK_OF(GENERAL_SUBTREE) *copenssl_subtrees(const NAME_CONSTRAINTS *constraints, int permitted) {
    return permitted ? constraints->permittedSubtrees : constraints->excludedSubtrees;
}
static inline int copenssl_subtrees_count(const NAME_CONSTRAINTS *constraints, int permitted) {
    return sk_GENERAL_SUBTREE_num(copenssl_subtrees(constraints, permitted));
}
/* The rfc822Name of a subtree; NULL for a name of another form. */
static inline const ASN1_STRING *copenssl_subtree_email(const NAME_CONSTRAINTS *constraints, int permitted, int index) {
    return copenssl_rfc822_name(sk_GENERAL_SUBTREE_value(copenssl_subtrees(constraints, permitted), index)->base);
}

/* The string of a uniformResourceIdentifier. */
static inline const ASN1_STRING *copenssl_uri(const GENERAL_NAME *name) {
    return name->type == GEN_URI ? name->d.uniformResourceIdentifier : NULL;
}

static inline STACK_OF(DIST_POINT) *copenssl_distribution_points(X509 *certificate) {
    return X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
}
static inline int copenssl_points_count(const STACK_OF(DIST_POINT) *points) { return sk_DIST_POINT_num(points); }
/* The full name of a point; NULL where it is named relative to its issuer. */
static inline const GENERAL_NAMES *copenssl_points_at(const STACK_OF(DIST_POINT) *points, int index) {
    const DIST_POINT *point = sk_DIST_POINT_value(points, index);
    return point->distpoint && point->distpoint->type == 0 ? point->distpoint->name.fullname : NULL;
}
static inline void copenssl_points_free(STACK_OF(DIST_POINT) *points) { sk_DIST_POINT_pop_free(points, DIST_POINT_free); }

static inline AUTHORITY_INFO_ACCESS *copenssl_information_access(X509 *certificate) {
    return X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
}
static inline int copenssl_accesses_count(const AUTHORITY_INFO_ACCESS *accesses) {
    return sk_ACCESS_DESCRIPTION_num(accesses);
}
/* Where an OCSP responder is; NULL for other kinds of access. */
static inline const GENERAL_NAME *copenssl_ocsp_location(const AUTHORITY_INFO_ACCESS *accesses, int index) {
    const ACCESS_DESCRIPTION *access = sk_ACCESS_DESCRIPTION_value(accesses, index);
    return OBJ_obj2nid(access->method) == NID_ad_OCSP ? access->location : NULL;
}

static inline EXTENDED_KEY_USAGE *copenssl_purposes(X509 *certificate, int *critical) {
    return X509_get_ext_d2i(certificate, NID_ext_key_usage, critical, NULL);
}
static inline int copenssl_purposes_count(const EXTENDED_KEY_USAGE *purposes) { return sk_ASN1_OBJECT_num(purposes); }
static inline void copenssl_purposes_free(EXTENDED_KEY_USAGE *purposes) { sk_ASN1_OBJECT_pop_free(purposes, ASN1_OBJECT_free); }

/* BIO */
static inline long copenssl_memory(BIO *bio, char **octets) { return BIO_get_mem_data(bio, octets); }
static inline int copenssl_flush(BIO *bio) { return BIO_flush(bio); }
static inline long copenssl_set_digest(BIO *bio, const EVP_MD *digest) { return BIO_set_md(bio, digest); }

/* Certificates and CRLs */
static inline int copenssl_pkey_is_dsa(const EVP_PKEY *key) { return EVP_PKEY_get_base_id(key) == EVP_PKEY_DSA; }
static inline int copenssl_pkey_is_rsa(const EVP_PKEY *key) {
    int kind = EVP_PKEY_get_base_id(key);
    return kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS;
}
static inline int copenssl_pkey_is_pss(const EVP_PKEY *key) { return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA_PSS; }
static inline int copenssl_pkey_is_ec(const EVP_PKEY *key) { return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC; }
static inline EVP_PKEY *copenssl_rsa(unsigned int bits) { return EVP_RSA_gen(bits); }
static inline EVP_PKEY *copenssl_ec(const char *curve) { return EVP_EC_gen(curve); }

/* Certificate requests */
static inline STACK_OF(X509_EXTENSION) *copenssl_extensions_new(void) { return sk_X509_EXTENSION_new_null(); }
/* Takes the extension over. */
static inline int copenssl_extensions_add(STACK_OF(X509_EXTENSION) *stack, X509_EXTENSION *extension) {
    return sk_X509_EXTENSION_push(stack, extension) > 0;
}
static inline void copenssl_extensions_free(STACK_OF(X509_EXTENSION) *stack) {
    sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}
static inline const ASN1_OBJECT *copenssl_purposes_at(const EXTENDED_KEY_USAGE *purposes, int index) {
    return sk_ASN1_OBJECT_value(purposes, index);
}

static inline int copenssl_reason(unsigned long error) { return ERR_GET_REASON(error); }
static inline int copenssl_library(unsigned long error) { return ERR_GET_LIB(error); }

typedef int (*copenssl_verify_callback)(int ok, X509_STORE_CTX *context);
/* The object of a context, or of the one for whose revocation lists it validates a path: those get the callback of
   their parent, but not its object. */
static inline void *copenssl_context_object(X509_STORE_CTX *context) {
    X509_STORE_CTX *parent = X509_STORE_CTX_get0_parent_ctx(context);
    return X509_STORE_CTX_get_app_data(parent ? parent : context);
}
static inline int copenssl_context_set_object(X509_STORE_CTX *context, void *object) {
    return X509_STORE_CTX_set_app_data(context, object);
}
