import DomainNames
import InternetMessage

extension ConfigurationReading {
    private func refuse(_ text: Located<String>, expected: String, nearest: String? = nil) {
        let value = text.value.isEmpty ? "\(text.place) is empty" : "\(quoted(text.value)) is no value of \(text.place)"
        fault(.badValue, line: text.line, value, expected: expected, nearest: nearest)
    }

    /// One of the words of `Word`, exactly as written there.
    func word<Word: RawRepresentable & CaseIterable>(_ text: Located<String>?, as type: Word.Type) -> Word?
    where Word.RawValue == String {
        guard let text else { return nil }
        if let word = Word(rawValue: text.value) { return word }
        let words = Word.allCases.map(\.rawValue)
        refuse(text, expected: Self.oneOf(words), nearest: NearestName.of(text.value, among: words))
        return nil
    }

    /// `true` or `false`.
    func truth(_ text: Located<String>?) -> Bool? { word(text, as: TruthWord.self).map { $0 == .true } }

    /// `enable` or `disable`.
    func isEnabled(_ text: Located<String>?) -> Bool? { word(text, as: StatusWord.self).map { $0 == .enable } }

    func integer(_ text: Located<String>?, in range: ClosedRange<Int>, unit: String = "") -> Int? {
        guard let text else { return nil }
        let digits = text.value.utf8.allSatisfy { (0x30...0x39).contains($0) }
        if digits, let number = Int(text.value), range.contains(number) { return number }
        refuse(text, expected: "a number from \(range.lowerBound) to \(range.upperBound)\(unit)")
        return nil
    }

    /// A number of octets: `209715200`, `200 MiB`.
    func size(_ text: Located<String>?, in range: ClosedRange<Int>) -> Int? {
        guard let text else { return nil }
        let factors = ["": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
        let digits = text.value.prefix { ("0"..."9").contains($0) }
        let unit = text.value.dropFirst(digits.count).drop { $0 == " " }
        if let number = Int(digits), let factor = factors[String(unit)] {
            let (octets, overflow) = number.multipliedReportingOverflow(by: factor)
            if !overflow, range.contains(octets) { return octets }
        }
        refuse(
            text,
            expected: "a number of octets or of KiB, MiB, GiB, from \(range.lowerBound) to \(range.upperBound) octets")
        return nil
    }

    /// An addr-spec, without angle brackets or a display name.
    func address(_ text: Located<String>?) -> AddrSpec? {
        guard let text else { return nil }
        if let at = text.value.lastIndex(of: "@") {
            let localPart = String(text.value[..<at])
            let domain = String(text.value[text.value.index(after: at)...])
            let plain = localPart.utf8.allSatisfy { $0 > 0x20 && !"<>(),;:\\\"[]@".utf8.contains($0) }
            if plain, Self.isDomain(domain), let address = AddrSpec(localPart: localPart, domain: domain) {
                return address
            }
        }
        refuse(text, expected: "one mail address such as admin@example.org")
        return nil
    }

    /// A domain name of A-labels or U-labels, returned with A-labels and in lower case.
    func domain(_ text: Located<String>?) -> String? {
        guard let text else { return nil }
        if Self.isDomain(text.value) { return CanonicalDomain(text.value).name }
        refuse(text, expected: "a domain name such as example.org")
        return nil
    }

    /// An absolute http or https URL without user, password and fragment, or `http://unix:SOCKET:PATH`.
    func url(_ text: Located<String>?) -> String? {
        guard let text else { return nil }
        if Self.isServiceURL(text.value) { return text.value }
        refuse(
            text, expected: "an address such as https://signing.example.org:8779/adss/signing/dss, without user name")
        return nil
    }

    /// A host name or an address, as it stands in a URL but without brackets.
    func host(_ text: Located<String>?) -> String? {
        guard let text else { return nil }
        if Self.isHost(text.value) || Self.isIPv6(text.value) { return text.value }
        refuse(text, expected: "a host name or an address")
        return nil
    }

    /// An IPv4 or IPv6 address.
    func numericAddress(_ text: Located<String>?) -> String? {
        guard let text else { return nil }
        if ConfigurationFile.isNumericAddress(text.value) { return text.value }
        refuse(text, expected: "an address such as 192.0.2.1 or 2001:db8::1")
        return nil
    }

    /// An address with or without a port: `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`.
    func nameServer(_ text: Located<String>?) -> String? {
        guard let text else { return nil }
        if ConfigurationFile.isNumericAddress(text.value) { return text.value }
        if let colon = text.value.lastIndex(of: ":") {
            var host = String(text.value[..<colon])
            let port = text.value[text.value.index(after: colon)...]
            if host.hasPrefix("["), host.hasSuffix("]") {
                host = String(host.dropFirst().dropLast())
            } else if host.contains(":") {
                host = ""
            }
            let digits = port.utf8.allSatisfy { (0x30...0x39).contains($0) }
            if digits, let number = Int(port), (1...65_535).contains(number), ConfigurationFile.isNumericAddress(host) {
                return text.value
            }
        }
        refuse(text, expected: "an address such as 192.0.2.1 or [2001:db8::1]:53")
        return nil
    }

    /// A path; a relative one is read from the directory of the configuration.
    func path(_ text: Located<String>?) -> String? {
        guard let text else { return nil }
        return ConfigurationFile.resolve(text.value, in: directory)
    }

    // MARK: - Forms

    /// Returns true if `text` is a domain name whose labels all have an ASCII form (RFC 1123 §2.1, RFC 5891).
    static func isDomain(_ text: String) -> Bool {
        // The dot of the root at the end belongs to the DNS, not to mail.
        guard !text.hasSuffix(".") else { return false }
        let name = CanonicalDomain(text).name
        return name.utf8.count <= 253
            && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
            }
    }

    private static func isHost(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { isLetterOrDigit($0) || "-._".utf8.contains($0) }
    }

    private static func isIPv6(_ text: String) -> Bool {
        text.contains(":")
            && text.utf8.allSatisfy { isLetterOrDigit($0) || ":.%".utf8.contains($0) }
    }

    private static func isServiceURL(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}#".utf8.contains($0) }) else {
            return false
        }
        let lowered = text.asciiLowercased
        guard let scheme = ["http://", "https://"].first(where: { lowered.hasPrefix($0) }) else { return false }
        if lowered.hasPrefix("http://unix:") { return isSocketAddress(text.dropFirst("http://unix:".count)) }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else { return false }
        let host: Substring
        var rest: Substring
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            host = authority[authority.index(after: authority.startIndex)..<end]
            rest = authority[authority.index(after: end)...]
            guard isIPv6(String(host)) else { return false }
        } else {
            host = authority.prefix { $0 != ":" }
            rest = authority.dropFirst(host.count)
            guard isHost(String(host)) else { return false }
        }
        if rest.isEmpty { return true }
        guard rest.removeFirst() == ":", rest.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        return Int(rest).map { (1...65_535).contains($0) } ?? false
    }

    /// The path of a Unix socket, a colon, and the path of the service.
    private static func isSocketAddress(_ text: Substring) -> Bool {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { $0.hasPrefix("/") } && (2...107).contains(parts[0].utf8.count)
    }

    private static func isLetterOrDigit(_ octet: UInt8) -> Bool {
        (0x30...0x39).contains(octet) || (0x61...0x7A).contains(octet.asciiLowercased)
    }
}

private enum TruthWord: String, CaseIterable { case `true`, `false` }
private enum StatusWord: String, CaseIterable { case enable, disable }
