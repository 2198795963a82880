import CivilTime
import Octets

/// The XAdES properties of a signature (ETSI EN 319 132-1, and TS 101 903 before it).
struct SignedProperties {
    /// xades:SignedProperties: must be the target of a reference.
    let element: Node
    private let qualifying: Node
    private let unsigned: Node?

    /// - Returns: nil when the signature has none.
    init?(_ shape: SignatureShape) throws(XMLFault) {
        let found = shape.objects.flatMap { $0.xadesElements("QualifyingProperties") }
        guard let qualifying = found.first else { return nil }
        guard found.count == 1 else { throw XMLFault(.invalid, "the signature has xades:QualifyingProperties twice") }
        guard let id = shape.id, qualifying.attribute("Target") == "#" + id else {
            throw XMLFault(.invalid, "xades:QualifyingProperties belongs to another signature")
        }
        let signed = qualifying.xadesElements("SignedProperties")
        guard signed.count == 1 else {
            throw XMLFault(.invalid, "the signature has not exactly one xades:SignedProperties")
        }
        self.qualifying = qualifying
        element = signed[0]
        unsigned = qualifying.onlyXAdES("UnsignedProperties", "UnsignedSignatureProperties")
    }

    static func isTypeOfReference(_ type: String?) -> Bool {
        guard let type else { return false }
        return type.hasPrefix("http://uri.etsi.org/01903") && type.hasSuffix("#SignedProperties")
    }

    /// Unix seconds; nil when there is no time, or one without a zone.
    var signingTime: Int? {
        guard let element = element.onlyXAdES("SignedSignatureProperties", "SigningTime"), let text = element.onlyText
        else { return nil }
        return XMLTime.unixSeconds(text.trimmed)
    }

    /// Returns the media type that the signer gives for what the reference with this identifier signs
    /// (xades:DataObjectFormat, EN 319 132-1 §5.2.4); nil without exactly one.
    func mediaType(of reference: String) -> String? {
        let formats = element.onlyXAdES("SignedDataObjectProperties")?.xadesElements("DataObjectFormat") ?? []
        let found = formats.filter { $0.attribute("ObjectReference") == "#" + reference }
        return found.count == 1 ? found[0].onlyXAdES("MimeType")?.onlyText?.trimmed : nil
    }

    /// The digests of one list of certificates, of which one is the signer's.
    ///
    /// In SigningCertificateV2 the first is the signer's (EN 319 132-1 §5.2.2), and it is the only one here; the former
    /// SigningCertificate has no order (TS 101 903 §7.2.2).
    typealias NamedCertificates = [(method: DigestMethod, digest: OctetString)]

    /// Returns the certificates that the signer names; empty if there are none.
    func certificateDigests() throws(XMLFault) -> [NamedCertificates] {
        guard let properties = element.onlyXAdES("SignedSignatureProperties") else { return [] }
        let named = properties.xadesElements("SigningCertificate") + properties.xadesElements("SigningCertificateV2")
        guard named.count <= 2 else { throw XMLFault(.invalid, "xades:SigningCertificate stands there too often") }
        var lists: [NamedCertificates] = []
        for list in named {
            let certificates = list.xadesElements("Cert")
            guard !certificates.isEmpty, certificates.count <= XMLSignatureLimits.certificates else {
                throw XMLFault(
                    .invalid, "xades:SigningCertificate names \(certificates.count) certificates")
            }
            let isOrdered = list.isXAdES("SigningCertificateV2")
            var digests: NamedCertificates = []
            for certificate in isOrdered ? Array(certificates.prefix(1)) : certificates {
                digests.append(try Self.digest(of: certificate))
            }
            lists.append(digests)
        }
        return lists
    }

    private static func digest(
        of certificate: Node
    ) throws(XMLFault) -> (method: DigestMethod, digest: OctetString) {
        guard let digest = certificate.onlyXAdES("CertDigest"),
            let method = digest.elements("DigestMethod").first, let value = digest.elements("DigestValue").first
        else { throw XMLFault(.invalid, "xades:SigningCertificate has no digest") }
        let uri = try SignatureShape.algorithm(of: method)
        guard let known = DigestMethod(rawValue: uri) else {
            throw XMLFault(.indeterminate, "the digest \(uri) in xades:SigningCertificate is not known here")
        }
        return (known, OctetString(try SignatureShape.octets(of: value)))
    }

    /// The timestamps over the signature value, with the canonicalisation that makes the octets they stamp; those that
    /// can be read, up to ``XMLSignatureLimits/timestamps``.
    func timestamps() -> [(canonicalisation: Canonicalisation, token: OctetString)] {
        var found: [(Canonicalisation, OctetString)] = []
        for stamp in unsigned?.xadesElements("SignatureTimeStamp") ?? [] {
            let method = stamp.elements("CanonicalizationMethod")
            // Without a method it is Canonical XML 1.0 (XML Signature §4.4.3.2).
            let canonicalisation =
                method.isEmpty ? .inclusive : try? SignatureShape.canonicalisation(method[0])
            guard let canonicalisation, method.count <= 1 else { continue }
            for token in stamp.xadesElements("EncapsulatedTimeStamp") {
                guard found.count < XMLSignatureLimits.timestamps else { return found }
                if let octets = try? SignatureShape.octets(of: token) {
                    found.append((canonicalisation, OctetString(octets)))
                }
            }
        }
        return found
    }
}

/// xs:dateTime (XML Schema part 2 §3.2.7) and Unix seconds, in the proleptic Gregorian calendar.
enum XMLTime {
    static func text(_ unixSeconds: Int) -> String {
        let (days, second) = unixSeconds.floorDivided(by: 86_400)
        let date = CivilDate(dayNumber: days)
        let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        let year = "\(date.year)"
        return String(repeating: "0", count: max(0, 4 - year.count)) + "\(year)-\(two(date.month))-\(two(date.day))T"
            + "\(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
    }

    /// - Returns: nil for text that is not a time, or has no zone: it would mean another moment in each place.
    static func unixSeconds(_ text: String) -> Int? {
        let octets = Array(text.utf8)
        guard octets.count >= 20, octets.count <= 48 else { return nil }
        let number = { (range: Range<Int>) -> Int? in
            guard octets.indices.contains(range.upperBound - 1) else { return nil }
            var value = 0
            for octet in octets[range] {
                guard (0x30...0x39).contains(octet) else { return nil }
                value = value * 10 + Int(octet - 0x30)
            }
            return value
        }
        let marks: [(Int, Character)] = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")]
        guard marks.allSatisfy({ octets[$0.0] == $0.1.asciiValue }), let year = number(0..<4),
            let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month),
            (1...31).contains(day), hour <= 24, minute < 60, second <= 60
        else { return nil }
        var index = 19
        if octets[index] == UInt8(ascii: ".") {
            index += 1
            while index < octets.count, (0x30...0x39).contains(octets[index]) { index += 1 }
        }
        guard index < octets.count else { return nil }
        var offset = 0
        let sign = octets[index]
        if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
            guard octets.count == index + 6, octets[index + 3] == UInt8(ascii: ":"),
                let hours = number(index + 1..<index + 3), let minutes = number(index + 4..<index + 6),
                hours <= 14, minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * (sign == UInt8(ascii: "+") ? 60 : -60)
        } else {
            guard octets.count == index + 1, sign == UInt8(ascii: "Z") else { return nil }
        }
        let days = CivilDate.dayNumber(year: year, month: month, day: day)
        return days * 86_400 + hour * 3_600 + minute * 60 + second - offset
    }
}
