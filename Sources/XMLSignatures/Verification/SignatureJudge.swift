import Octets

/// Checks one signature that was taken apart.
struct SignatureJudge {
    let shape: SignatureShape
    let resolver: ReferenceResolver
    let known: [OctetString]

    private var findings: [XMLFinding] = []
    private var broken: String?
    private var unknown: String?
    private var weaknesses: [XMLWeakness] = []
    /// True if the signature value could not be checked, because no available certificate has its key.
    private var lacksCertificate = false

    init(shape: SignatureShape, resolver: ReferenceResolver, known: [OctetString]) {
        self.shape = shape
        self.resolver = resolver
        self.known = known
    }

    private var document: ParsedDocument { resolver.document }

    mutating func judge(_ budget: inout CanonicalisationBudget) -> XMLSignature {
        var resolved = resolve(shape.references)
        let manifests = followManifests(&resolved)
        let coverage = Coverage(
            resolved, manifests: manifests, of: shape, in: document, signatures: resolver.signatures)
        findings += coverage.findings
        let isAffordable = budget.spend(resolved.map(\.canonicalisation) + [shape.canonicalisation])
        if isAffordable { checkDigests(resolved) } else { doubt("there is too much to canonicalise for it") }
        let properties = tolerant { [shape] () throws(XMLFault) in try SignedProperties(shape) }
        let named = readProperties(properties, resolved)
        let keys = tolerant { [shape, document] () throws(XMLFault) in
            try KeyInfoCertificates(shape.keyInfo, in: document)
        }
        let certificates = keys?.certificates ?? []
        var signer: (certificate: OctetString, key: SecurityKey)?
        if isAffordable { signer = checkValue(certificates, named) }
        if let key = signer?.key { note(XMLKeyFacts(kind: key.kind, bits: key.bits)) }
        return XMLSignature(
            line: shape.element.line, form: properties == nil ? .xmldsig : .xades, integrity: integrity,
            certificates: Self.ordered(certificates, signer?.certificate), signer: signer?.certificate,
            revocationLists: keys?.revocationLists ?? [],
            algorithms: XMLSignatureAlgorithms(
                signature: shape.methodURI, digests: shape.references.map(\.digestURI),
                key: signer.map { XMLKeyFacts(kind: $0.key.kind, bits: $0.key.bits) }),
            weaknesses: weaknesses, claimedTime: properties?.signingTime,
            timestamps: timestamps(properties, &budget), coversWholeDocument: coverage.isWhole, findings: findings,
            lacksOnlyCertificate: lacksCertificate && coverage.isWhole && integrity == .intact && findings.isEmpty,
            leavesPartOpen: false
        )
        .addingCertificateFinding(lacksCertificate)
    }

    private var integrity: XMLSignature.Integrity {
        if let broken { return .broken(broken) }
        if let unknown { return .unknown(unknown) }
        return .intact
    }

    private mutating func doubt(_ reason: String) {
        if unknown == nil { unknown = OneLine.of(reason) }
    }

    private mutating func refuse(_ reason: String) {
        if broken == nil { broken = OneLine.of(reason) }
    }

    /// Returns the result of `body`; a fault becomes a finding.
    private mutating func tolerant<Value>(_ body: () throws(XMLFault) -> Value?) -> Value? {
        do throws(XMLFault) {
            return try body()
        } catch {
            findings.append(error.finding)
            return nil
        }
    }

    // MARK: - References

    /// Adds the references of each ds:Manifest that a reference means (XML Signature 1.1 §5.1): they count like those
    /// of the signature.
    /// - Returns: The manifests.
    private mutating func followManifests(_ resolved: inout [ResolvedReference]) -> Set<Node> {
        let manifests = resolved.compactMap(\.target).filter { $0.isElement("Manifest") }
        for manifest in manifests {
            let parts = manifest.elements
            guard parts.count <= XMLSignatureLimits.references else {
                let reason = "a ds:Manifest has more than \(XMLSignatureLimits.references) references"
                findings.append(XMLFinding(.indeterminate, reason))
                doubt(reason)
                continue
            }
            var references: [Reference] = []
            for part in parts {
                let reference = tolerant { () throws(XMLFault) -> Reference? in
                    guard part.isElement("Reference") else {
                        throw XMLFault(.invalid, "ds:Manifest holds \(part.localName)")
                    }
                    return try Reference(part)
                }
                if let reference { references.append(reference) } else { doubt("a ds:Manifest cannot be read") }
            }
            resolved += resolve(references)
        }
        return Set(manifests)
    }

    private mutating func resolve(_ references: [Reference]) -> [ResolvedReference] {
        var resolved: [ResolvedReference] = []
        for reference in references {
            do throws(XMLFault) {
                resolved.append(try resolver.resolve(reference, of: shape))
            } catch {
                findings.append(error.finding)
                switch error.finding.level {
                case .invalid: refuse(error.finding.message)
                case .indeterminate: doubt(error.finding.message)
                }
            }
        }
        return resolved
    }

    private mutating func checkDigests(_ references: [ResolvedReference]) {
        for resolved in references {
            let name = resolved.reference.uri.flatMap { $0.isEmpty ? nil : $0 } ?? "the document"
            guard let method = DigestMethod(rawValue: resolved.reference.digestURI) else {
                doubt("the digest \(resolved.reference.digestURI) is not known here")
                continue
            }
            note(method.weakness)
            do throws(XMLSignatureError) {
                let digest = try resolver.digest(resolved, method)
                if digest.array != resolved.reference.digest { refuse("\(name) was changed after it was signed") }
            } catch {
                doubt(error.reason)
            }
        }
    }

    // MARK: - Properties

    /// - Returns: The certificates that the properties name; empty without.
    private mutating func readProperties(
        _ properties: SignedProperties?, _ references: [ResolvedReference]
    ) -> [SignedProperties.NamedCertificates] {
        for reference in references where SignedProperties.isTypeOfReference(reference.reference.type) {
            guard let properties, reference.target == properties.element else {
                findings.append(
                    XMLFinding(.invalid, "the reference to xades:SignedProperties leads to something else"))
                continue
            }
        }
        guard let properties else { return [] }
        // The type names what a reference is to; without it the properties are signed all the same.
        guard references.contains(where: { $0.target == properties.element }) else {
            findings.append(XMLFinding(.invalid, "xades:SignedProperties is there, but not signed"))
            return []
        }
        return tolerant { () throws(XMLFault) in try properties.certificateDigests() } ?? []
    }

    private mutating func timestamps(
        _ properties: SignedProperties?, _ budget: inout CanonicalisationBudget
    ) -> [XMLTimestamp] {
        // A timestamp is an unsigned property that anybody can add: one that cannot be read proves nothing, and that
        // is all.
        guard let found = properties?.timestamps(), !found.isEmpty else { return [] }
        var stamped: [Canonicalisation: OctetString] = [:]
        for (method, _) in found where stamped[method] == nil && budget.spend([method]) {
            stamped[method] = try? method.octets(document, .element(shape.valueElement))
        }
        return found.compactMap { method, token in stamped[method].map { XMLTimestamp(token: token, stamped: $0) } }
    }

    // MARK: - The signature value

    private mutating func checkValue(
        _ certificates: [OctetString], _ named: [SignedProperties.NamedCertificates]
    ) -> (certificate: OctetString, key: SecurityKey)? {
        guard !SignatureMethod.isShared(shape.methodURI) else {
            findings.append(
                XMLFinding(.indeterminate, "an HMAC is made with a key that two parties share: it identifies nobody"))
            doubt("an HMAC identifies nobody")
            return nil
        }
        guard let method = SignatureMethod.named(shape.methodURI) else {
            doubt("the signature method \(shape.methodURI) is not known here")
            return nil
        }
        note(method.digest.weakness)
        // The signer's certificate need not be in the signature: somebody may know it (XML Signature 1.1 §4.5).
        let candidates =
            KeyInfoCertificates.candidates(certificates) + known.prefix(XMLSignatureLimits.candidates)
        guard !candidates.isEmpty else {
            lacksCertificate = true
            return nil
        }
        let signedInfo: OctetString
        do throws(XMLSignatureError) {
            signedInfo = try shape.canonicalisation.octets(document, .element(shape.signedInfo))
        } catch {
            doubt(error.reason)
            return nil
        }
        var answers: [Bool] = []
        for candidate in candidates {
            guard let key = SecurityKey.ofCertificate(candidate),
                let isRight = method.verifies(shape.value, over: signedInfo, key)
            else { continue }
            answers.append(isRight)
            // Several certificates may have one key: the properties say which of them is meant.
            if isRight, isNamed(candidate, named) { return (candidate, key) }
        }
        if answers.contains(true) {
            findings.append(XMLFinding(.invalid, "the certificate is another one than xades:SigningCertificate names"))
            return nil
        }
        if certificates.isEmpty {
            lacksCertificate = true
        } else if answers.isEmpty {
            doubt("no certificate of the signature has a key for \(shape.methodURI)")
        } else {
            refuse("the signature value is not right for any of its certificates")
        }
        return nil
    }

    /// Returns true if each list of the properties names this certificate, or there is no list.
    private mutating func isNamed(_ certificate: OctetString, _ named: [SignedProperties.NamedCertificates]) -> Bool {
        for list in named {
            var isInList = false
            for (method, digest) in list where !isInList {
                do throws(XMLSignatureError) {
                    isInList = try method.digest(of: certificate) == digest
                    if isInList { note(method.weakness) }
                } catch {
                    doubt(error.reason)
                    return false
                }
            }
            guard isInList else { return false }
        }
        return true
    }

    private static func ordered(_ certificates: [OctetString], _ signer: OctetString?) -> [OctetString] {
        guard let signer else { return KeyInfoCertificates.candidates(certificates) }
        return [signer] + certificates.filter { $0 != signer }
    }

    // MARK: - Weakness

    private mutating func note(_ weakness: XMLWeakness?) {
        if let weakness, !weaknesses.contains(weakness) { weaknesses.append(weakness) }
    }

    private mutating func note(_ key: XMLKeyFacts) {
        switch key.kind {
        case .rsa where key.bits < 2_048:
            note(XMLWeakness(algorithm: "RSA with \(key.bits) bits", isBroken: key.bits < 1_024))
        case .dsa: note(XMLWeakness(algorithm: "DSA with \(key.bits) bits", isBroken: key.bits < 1_024))
        case .ecdsa where key.bits < 224:
            note(XMLWeakness(algorithm: "ECDSA with \(key.bits) bits", isBroken: key.bits < 160))
        case .rsa, .ecdsa, .other: break
        }
    }
}
