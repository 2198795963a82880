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

/* The size of a key in bits; xmlsec1 1.2 tells it in octets for elliptic curves. 0 when there is none. */
static inline int cxmlsec_key_bits(xmlSecKeyPtr key) {
    xmlSecKeyDataPtr value = xmlSecKeyGetValue(key);
    EVP_PKEY *pkey = value == NULL ? NULL : xmlSecOpenSSLEvpKeyDataGetEvp(value);
    return pkey == NULL ? 0 : EVP_PKEY_get_bits(pkey);
}

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

/* Which nodes canonicalisation takes: those within apex (all when there is none; without its own tags where content_only
   says so) and not within an excluded one. It is
   asked for each node, attribute and declaration of the whole document, in document order; the last two answers make
   nearly all of them quick. Here, because that many calls into Swift would cost more than the canonicalisation. */
struct cxmlsec_selection {
    xmlNodePtr apex;
    int content_only;
    const xmlNodePtr *excluded;
    int excluded_count;
    xmlNodePtr element;
    int answer;
    xmlNodePtr parent;
    int parent_answer;
};

static inline int cxmlsec_excludes(const struct cxmlsec_selection *selection, xmlNodePtr element) {
    for (int index = 0; index < selection->excluded_count; index++)
        if (selection->excluded[index] == element) return 1;
    return 0;
}

static inline int cxmlsec_takes_by_ancestors(const struct cxmlsec_selection *selection, xmlNodePtr element) {
    int takes = selection->apex == NULL;
    for (; element != NULL && element->type == XML_ELEMENT_NODE; element = element->parent) {
        if (cxmlsec_excludes(selection, element)) return 0;
        if (element == selection->apex) takes = 1;
    }
    return takes;
}

static inline int cxmlsec_takes(void *raw, xmlNodePtr node, xmlNodePtr parent) {
    struct cxmlsec_selection *selection = (struct cxmlsec_selection *)raw;
    /* Attributes and declarations are given with their element, all else with what it stands in. */
    xmlNodePtr element = node->type == XML_ELEMENT_NODE ? node : parent;
    if (element == NULL || element->type != XML_ELEMENT_NODE) return selection->apex == NULL;
    if (selection->content_only && element == selection->apex
        && (node->type == XML_ELEMENT_NODE || node->type == XML_ATTRIBUTE_NODE || node->type == XML_NAMESPACE_DECL))
        return 0;
    if (element == selection->element) return selection->answer;
    if (element->parent != selection->parent) {
        selection->parent_answer = element->parent == selection->element
            ? selection->answer : cxmlsec_takes_by_ancestors(selection, element->parent);
        selection->parent = element->parent;
    }
    selection->element = element;
    selection->answer = element == selection->apex ? cxmlsec_takes_by_ancestors(selection, element)
        : selection->parent_answer && !cxmlsec_excludes(selection, element);
    return selection->answer;
}

/* Canonicalises what is selected; less than 0 when that cannot be done. */
static inline int cxmlsec_canonicalise(xmlDocPtr document, xmlNodePtr apex, int content_only,
                                       const xmlNodePtr *excluded, int excluded_count, int mode, xmlChar **prefixes, int with_comments,
                                       xmlOutputBufferPtr buffer) {
    struct cxmlsec_selection selection = {apex, content_only, excluded, excluded_count, NULL, 0, NULL, 0};
    int is_whole = apex == NULL && excluded_count == 0;
    return xmlC14NExecute(document, is_whole ? NULL : cxmlsec_takes, &selection, mode, prefixes, with_comments, buffer);
}
