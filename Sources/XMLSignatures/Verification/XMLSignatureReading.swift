public import Octets

/// Finds and checks the signatures of a document.
///
/// No network, no file, no style sheet: nothing outside of the document is read, whatever a signature refers to. Any
/// number of threads may do this at once.
public enum XMLSignatureReading {
    /// Returns all signatures of `document`, in document order; empty if there are none.
    /// - Parameters:
    ///   - document: Up to ``XMLSignatureLimits/octets`` octets.
    ///   - known: Certificates in DER to try for a signature that carries none, up to
    ///     ``XMLSignatureLimits/candidates``.
    /// - Throws: ``XMLSignatureError`` when the document cannot be read as XML within the limits.
    public static func signatures(
        in document: OctetString, known: [OctetString] = []
    ) throws(XMLSignatureError) -> [XMLSignature] {
        let parsed = try ParsedDocument(document)
        let elements = try parsed.signatures()
        guard !elements.isEmpty else { return [] }
        let shapes = elements.map { element -> (Node, Result<SignatureShape, XMLFault>) in
            do throws(XMLFault) { return (element, .success(try SignatureShape(element))) } catch {
                return (element, .failure(error))
            }
        }
        let references = shapes.flatMap { (try? $0.1.get())?.everyReference ?? [] }
        let resolver = ReferenceResolver(
            document: parsed, signatures: elements,
            identified: parsed.elements(identifiedBy: Set(references.compactMap(\.pointer?.identifier))))
        var budget = CanonicalisationBudget(parsed, octets: document.count)
        var found: [XMLSignature] = []
        for (element, shape) in shapes {
            switch shape {
            case .failure(let fault): found.append(XMLSignature(fault, line: element.line))
            case .success(let shape):
                var judge = SignatureJudge(shape: shape, resolver: resolver, known: known)
                found.append(judge.judge(&budget))
            }
        }
        // A signed part within a document that is signed as a whole takes nothing away from it.
        guard !found.contains(where: { $0.coversWholeDocument && $0.isGoodAsMade }) else { return found }
        return zip(elements, found).map { element, signature in
            signature.addingPartFinding(isDocument: parsed.isContent(element))
        }
    }
}

/// Bounds how much is canonicalised for one document: each reference may ask for all of it again.
struct CanonicalisationBudget {
    private let cost: Int
    private let costOfPrefix: Int
    private var left = XMLSignatureLimits.work

    init(_ document: ParsedDocument, octets: Int) {
        // By what was measured: a node 200 ns at most, an octet of text 3 ns, a step up 10 ns, a declaration 1 ns.
        cost = document.nodes + octets / 40 + document.namespaceWork / 100 + document.searchWork / 20
        costOfPrefix = document.searchWork / 20
    }

    /// Returns true if these canonicalisations may be made too.
    mutating func spend(_ methods: [Canonicalisation]) -> Bool {
        for method in methods { left -= cost + method.inclusivePrefixes.count * costOfPrefix }
        return left >= 0
    }
}

extension XMLSignature {
    /// A signature that could not be taken apart.
    init(_ fault: XMLFault, line: Int) {
        self.init(
            line: line, form: .xmldsig,
            integrity: fault.finding.level == .invalid
                ? .broken(fault.finding.message) : .unknown(fault.finding.message),
            certificates: [], signer: nil, revocationLists: [],
            algorithms: XMLSignatureAlgorithms(signature: "", digests: [], key: nil), weaknesses: [],
            claimedTime: nil, timestamps: [], coversWholeDocument: false, findings: [fault.finding],
            lacksOnlyCertificate: false, leavesPartOpen: false)
    }

    /// - Parameter isDocument: True if the document is nothing but this signature; its content may be elsewhere.
    fileprivate func addingPartFinding(isDocument: Bool) -> XMLSignature {
        guard !coversWholeDocument, !(isDocument && findings.contains { $0.level == .indeterminate }) else {
            return self
        }
        return adding(XMLFinding(.invalid, "only a part of the document is signed"), integrity, isPart: true)
    }

    /// - Parameter isMissing: True if no available certificate has the key that the signature was made with.
    func addingCertificateFinding(_ isMissing: Bool) -> XMLSignature {
        guard isMissing else { return self }
        let reason = "there is no certificate to check it with"
        return adding(
            XMLFinding(.indeterminate, "the signature does not carry its signer's certificate, and no known one fits"),
            integrity == .intact ? .unknown(reason) : integrity)
    }

    private func adding(_ finding: XMLFinding, _ integrity: Integrity, isPart: Bool = false) -> XMLSignature {
        XMLSignature(
            line: line, form: form, integrity: integrity, certificates: certificates, signer: signer,
            revocationLists: revocationLists, algorithms: algorithms, weaknesses: weaknesses, claimedTime: claimedTime,
            timestamps: timestamps, coversWholeDocument: coversWholeDocument, findings: findings + [finding],
            lacksOnlyCertificate: lacksOnlyCertificate && !isPart, leavesPartOpen: leavesPartOpen || isPart)
    }
}
