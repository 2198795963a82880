import PDFStructure

/// The requirements of a signature field on its signature (ISO 32000-1 §12.7.4.5, table 234). Its mere preferences are
/// ignored.
struct SeedValues {
    let values: PDFDictionary
    let field: String
    let source: SigningSource

    /// Table 234, /Ff: which entries are demands.
    private enum Demand: Int {
        case filter = 0, subFilter, version, reasons, legalAttestation, revocation, digest, lockDocument, appearance
    }

    /// - Throws: ``PDFError`` of kind `constraint` when a demand is not met.
    func check(_ options: PDFSignatureOptions) throws(PDFError) {
        let flags = try source.resolved(values["Ff"]).integer ?? 0
        func demands(_ demand: Demand) -> Bool { flags & 1 << demand.rawValue != 0 }

        if demands(.filter), let filter = try source.resolved(values["Filter"]).name, filter != "Adobe.PPKLite" {
            throw unmet("the signature handler \(filter)")
        }
        if demands(.subFilter), values["SubFilter"] != .null {
            let formats = try names("SubFilter")
            guard formats.contains(PDFSigner.subFilter) else {
                throw unmet("the format \(formats.joined(separator: " or "))")
            }
        }
        if demands(.version), let version = try source.resolved(values["V"]).number, version > 3 {
            throw unmet("a reader of version \(PDFSyntax.number(version))")
        }
        if demands(.reasons) { try checkReason(options.reason) }
        if demands(.legalAttestation), values["LegalAttestation"] != .null { throw unmet("a legal attestation") }
        if demands(.revocation), try source.resolved(values["AddRevInfo"]) == .boolean(true) {
            throw unmet("revocation information within")
        }
        if demands(.digest), values["DigestMethod"] != .null {
            let methods = try texts("DigestMethod")
            guard methods.contains(options.digestMethod) else {
                throw unmet("the digest \(methods.joined(separator: " or "))")
            }
        }
        if demands(.lockDocument), try source.resolved(values["LockDocument"]).boolean == true {
            throw unmet("that the document is locked")
        }
        if demands(.appearance), values["AppearanceFilter"] != .null { throw unmet("a certain appearance") }
        if let certification = try source.dictionary(values["MDP"]),
            let level = try source.resolved(certification["P"]).integer, level != 0
        {
            throw unmet("a certification of level \(level)")
        }
        if let timestamp = try source.dictionary(values["TimeStamp"]), !options.hasTimestamp,
            try (source.resolved(timestamp["Ff"]).integer ?? 0) & 1 == 1
        {
            throw unmet("a timestamp")
        }
        if let certificate = try source.dictionary(values["Cert"]),
            try (source.resolved(certificate["Ff"]).integer ?? 0) != 0
        {
            throw unmet("a certain certificate")
        }
    }

    /// Reasons that are demanded: one of them must be given; none, or a lone full stop, means that there must be none.
    private func checkReason(_ reason: String?) throws(PDFError) {
        guard values["Reasons"] != .null else { return }
        let allowed = try texts("Reasons")
        if allowed.isEmpty || allowed == ["."] {
            guard reason == nil else { throw unmet("that no reason is given") }
        } else {
            guard let reason, allowed.contains(reason) else {
                throw unmet("one of the reasons \(allowed.prefix(8).map { "'\($0)'" }.joined(separator: ", "))")
            }
        }
    }

    private func unmet(_ demand: String) -> PDFError {
        PDFError(.constraint, "the signature field '\(field)' demands \(demand), which is not offered")
    }

    private func names(_ key: String) throws(PDFError) -> [String] {
        var found: [String] = []
        for item in try source.array(values[key], "/\(key) of a seed value") {
            if let name = try source.resolved(item).name { found.append(name) }
        }
        return found
    }

    private func texts(_ key: String) throws(PDFError) -> [String] {
        var found: [String] = []
        for item in try source.array(values[key], "/\(key) of a seed value") {
            if let text = try source.resolved(item).string { found.append(PDFText.text(text.octets)) }
        }
        return found
    }
}

extension PDFValue {
    var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
}
