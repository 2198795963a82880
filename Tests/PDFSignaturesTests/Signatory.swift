import CMSSignatures
import Foundation
import Octets
import PDFSignatures
import TestSupport

/// A demonstration key that signs PDFs in tests; made once.
struct Signatory: Sendable {
    /// The tests' own present.
    static let now = 1_800_000_000

    let authority: DemoAuthority
    let key: SigningKey
    let signer: PDFSigner

    static let shared: Result<Signatory, any Error> = Result { try Signatory() }

    /// - Parameter fontPath: The font of stamps.
    init(fontPath: String = PDFSigner.standardFontPath) throws {
        let validity = Self.now - 3 * 365 * 86_400...Self.now + 365 * 86_400
        authority = try DemoAuthority(commonName: "Tests", validity: validity)
        key = try authority.issue(commonName: "Documents", for: .document, validity: validity)
        signer = try PDFSigner(fontPath: fontPath)
    }

    static func options(
        _ name: String = "Documents", reason: String? = nil, area: PDFSignatureOptions.Area? = nil, page: Int? = nil,
        field: String? = nil, isVisible: Bool? = nil
    ) -> PDFSignatureOptions {
        PDFSignatureOptions(
            signerName: name, time: now, reason: reason, isVisible: isVisible, area: area, page: page, fieldName: field,
            reservedOctets: 8_192)
    }

    func sign(_ document: OctetString, _ options: PDFSignatureOptions = options()) throws -> OctetString {
        let prepared = try signer.prepare(document, options)
        let cms = try CMSSigner(key: key, isCAdES: true).sign(detached: prepared.covered, signingTime: options.time)
        return try prepared.finish(cms: cms).collected()
    }

    /// Returns the reason why a document is not signed; nil if it is.
    func refusal(_ document: OctetString, _ options: PDFSignatureOptions = options()) -> PDFError? {
        do throws(PDFError) {
            _ = try signer.prepare(document, options)
            return nil
        } catch { return error }
    }
}

/// The judgement of other programs on signed PDFs.
enum PDFOracle {
    struct Opinion: Decodable, Sendable {
        struct Signature: Decodable, Sendable {
            let field: String
            let intact, trusted, good, coversAll: Bool
            let change: String
            let name, reason, location, contactInfo, subFilter: String
            let time: Int
        }
        /// True if the file satisfies pyHanko's strict reading.
        let strict: Bool?
        let signatures: [Signature]?
        let error: String?
    }

    static let python = TestPython.path

    /// pyHanko's opinion, by name.
    static func pyHanko(_ documents: [String: OctetString]) async throws -> [String: Opinion] {
        let scratch = try ScratchDirectory()
        for (name, document) in documents { try scratch.write(document, to: name + ".pdf") }
        let anchor = try scratch.write(
            Array(try Signatory.shared.get().authority.certificate.pem.utf8), to: "anchor.pem")
        let run = try await RunningProgram.run(
            python, [TestMaterial.fixtures + "/pdf/oracle.py", scratch.path, anchor, "\(Signatory.now)"],
            asRoot: true, within: .seconds(300))
        guard run.status == 0 else {
            throw HarnessError("\(python), which needs pyHanko (see SES_TEST_PYTHON): \(run)")
        }
        return try JSONDecoder().decode([String: Opinion].self, from: Data(run.output.utf8))
    }

    /// Returns the objections of pyHanko, poppler's pdfsig, qpdf and ourselves to a document; empty if there are none.
    /// - Parameters:
    ///   - loose: Beginnings of the names of those that pyHanko did not find strictly right before they were signed.
    ///   - isLast: True if nothing follows the last signature.
    static func faults(
        _ documents: [String: OctetString], loose: Set<String> = [], isLast: Bool = true
    ) async throws -> [String] {
        var faults: [String] = []
        let opinions = try await pyHanko(documents)
        let scratch = try ScratchDirectory()
        for (name, document) in documents.sorted(by: { $0.key < $1.key }) {
            let path = try scratch.write(document, to: name + ".pdf")
            guard let signatures = opinions[name]?.signatures, !signatures.isEmpty else {
                faults.append("\(name): pyHanko: \(opinions[name]?.error ?? "no signature")")
                continue
            }
            if opinions[name]?.strict != true, !loose.contains(where: { name.hasPrefix($0) }) {
                faults.append("\(name): pyHanko reads it only when it is not strict")
            }
            for signature in signatures where !signature.good || !signature.trusted {
                faults.append("\(name): pyHanko: \(signature)")
            }
            if signatures.last?.coversAll != isLast {
                faults.append("\(name): pyHanko: whether the last covers the whole")
            }
            let valid = try await validByPoppler(path)
            if valid != signatures.count { faults.append("\(name): pdfsig: \(valid) valid of \(signatures.count)") }
            let checked = try await RunningProgram.run("/usr/bin/qpdf", ["--check", path], asRoot: true)
            if checked.status != 0 { faults.append("\(name): qpdf: \(checked)") }
            let ours = try PDFSignatureReading.signatures(in: document)
            if ours.count != signatures.count { faults.append("\(name): ours: \(ours.count) signatures") }
            for signature in ours {
                for finding in signature.findings { faults.append("\(name): ours: \(finding)") }
                guard let contents = signature.contents else { continue }
                let check = try CMSInspection.check(contents, content: signature.covered)
                if check != .intact { faults.append("\(name): ours: \(check)") }
            }
        }
        return faults
    }

    /// Returns the number of signatures that pdfsig calls valid. It knows no anchor of ours.
    static func validByPoppler(_ path: String) async throws -> Int {
        let run = try await RunningProgram.run("/usr/bin/pdfsig", ["-nocert", path], asRoot: true)
        return run.output.split(separator: "\n").count { $0.contains("Signature Validation: Signature is Valid.") }
    }
}
