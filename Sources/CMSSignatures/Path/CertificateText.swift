import COpenSSL
import Glibc

/// Names as text (RFC 4514): the last part first, UTF-8 unescaped, control characters escaped.
enum DistinguishedName {
    static func text(_ name: OpaquePointer?) -> String {
        guard let name, let bio = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(bio) }
        _ = X509_NAME_print_ex(bio, name, 0, copenssl_xn_flag_rfc2253 & ~copenssl_esc_msb)
        var start: UnsafeMutablePointer<CChar>?
        let count = copenssl_memory(bio, &start)
        guard let start, count > 0 else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// The last common name, which is the most special one; nil without one that is text.
    static func commonName(_ name: OpaquePointer?) -> String? {
        guard let name else { return nil }
        var place: CInt = -1
        while true {
            let next = X509_NAME_get_index_by_NID(name, NID_commonName, place)
            guard next >= 0 else { break }
            place = next
        }
        guard place >= 0, let value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, place)) else { return nil }
        var start: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&start, value)
        defer { CRYPTO_free(start, nil, 0) }
        guard let start, count > 0 else {
            OpenSSLErrors.clear()
            return nil
        }
        return String(decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
    }
}

enum SerialNumber {
    static func text(_ number: UnsafePointer<ASN1_INTEGER>?) -> String {
        guard let number, let big = ASN1_INTEGER_to_BN(number, nil) else { return "" }
        defer { BN_free(big) }
        guard let digits = BN_bn2hex(big) else { return "" }
        defer { CRYPTO_free(digits, nil, 0) }
        let text = String(cString: digits).lowercased()
        let isNegative = text.hasPrefix("-")
        let significant = text.drop { $0 == "-" || $0 == "0" }
        return (isNegative ? "-" : "") + (significant.isEmpty ? "0" : String(significant))
    }
}

enum ASN1Time {
    /// Returns Unix seconds; nil if `time` is missing or invalid.
    static func unixSeconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int? {
        guard let time else { return nil }
        var parts = tm()
        guard ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        let seconds = timegm(&parts)
        return Int(seconds)
    }
}

enum UnixTime {
    /// As RFC 3339 writes it, in UTC.
    static func text(_ unixSeconds: Int) -> String {
        var seconds = time_t(unixSeconds)
        var parts = tm()
        guard gmtime_r(&seconds, &parts) != nil else { return "an unknown date" }
        var text = [CChar](repeating: 0, count: 40)
        let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

enum CertificateAddresses {
    static func of(_ certificate: OpaquePointer) -> [String] {
        var found: [String] = []
        func add(_ text: String?) {
            if let text, !found.contains(text), found.count < 1_000 { found.append(text) }
        }
        if let names = copenssl_alternative_names(certificate) {
            defer { GENERAL_NAMES_free(names) }
            for index in 0..<copenssl_names_count(names) {
                guard let name = copenssl_names_at(names, index) else { continue }
                if let plain = copenssl_rfc822_name(name) { add(address(plain, isASCII: true)) }
                if let wide = copenssl_smtp_utf8_mailbox(name), let text = address(wide, isASCII: false),
                    isMailboxBeyondASCII(text)
                {
                    add(text)
                }
            }
        }
        let subject = X509_get_subject_name(certificate)
        var index = X509_NAME_get_index_by_NID(subject, NID_pkcs9_emailAddress, -1)
        while index >= 0 {
            if let value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)) {
                var octets: UnsafeMutablePointer<UInt8>?
                let count = ASN1_STRING_to_UTF8(&octets, value)
                if count > 0, let octets {
                    add(clean(UnsafeBufferPointer(start: octets, count: Int(count)), isASCII: false))
                }
                if let octets { CRYPTO_free(octets, nil, 0) }
            }
            index = X509_NAME_get_index_by_NID(subject, NID_pkcs9_emailAddress, index)
        }
        return found
    }

    /// The SmtpUTF8Mailbox names that count as addresses, as written.
    static func internationalised(in certificate: OpaquePointer) -> [String] {
        guard let names = copenssl_alternative_names(certificate) else {
            OpenSSLErrors.clear()
            return []
        }
        defer { GENERAL_NAMES_free(names) }
        return (0..<copenssl_names_count(names)).compactMap { index in
            guard let name = copenssl_names_at(names, index), let wide = copenssl_smtp_utf8_mailbox(name),
                let text = address(wide, isASCII: false), isMailboxBeyondASCII(text)
            else { return nil }
            return text
        }
    }

    /// Returns true if a SmtpUTF8Mailbox may stand for `address`: only if the local part is not ASCII (RFC 9598 §3).
    ///
    /// Any other address belongs into an rfc822Name, which name constraints apply to; here it would evade them (§6).
    static func isMailboxBeyondASCII(_ address: String) -> Bool {
        guard let at = address.utf8.lastIndex(of: UInt8(ascii: "@")) else { return false }
        return !address.utf8[..<at].allSatisfy { $0 < 0x80 }
    }

    private static func address(_ string: UnsafePointer<ASN1_STRING>, isASCII: Bool) -> String? {
        guard let octets = ASN1_STRING_get0_data(string) else { return nil }
        return clean(UnsafeBufferPointer(start: octets, count: Int(ASN1_STRING_length(string))), isASCII: isASCII)
    }

    /// An embedded NUL or line end has been used to make an address look like another one.
    private static func clean(_ octets: UnsafeBufferPointer<UInt8>, isASCII: Bool) -> String? {
        guard !octets.isEmpty, octets.count <= 1_000,
            octets.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && (!isASCII || $0 < 0x80) })
        else { return nil }
        return String(validating: octets, as: UTF8.self)
    }
}
