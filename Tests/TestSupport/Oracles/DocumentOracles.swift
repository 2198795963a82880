import Foundation

/// The statements of pyHanko and poppler about a signed PDF.
public struct PDFOracle: Sendable, CustomStringConvertible {
    public struct Signature: Decodable, Sendable {
        public let field: String?
        /// Intact, trusted, and followed by nothing that pyHanko would not allow.
        public let good: Bool
        public let coversAll: Bool
        /// Empty without one.
        public let reason: String
        public let location: String
        public let contactInfo: String
    }

    public let signatures: [Signature]
    /// The reason why pyHanko cannot read the file.
    public let error: String?
    /// The output of `pdfsig`.
    public let poppler: String
    public var description: String { "\(error ?? "") \(signatures)\n\(poppler)" }

    /// True if both find at least one signature, and no fault in any.
    public var isValid: Bool {
        let count = poppler.components(separatedBy: "Signature is Valid.").count - 1
        return !signatures.isEmpty && signatures.allSatisfy(\.good) && count == signatures.count
    }

    /// True if neither considers every signature valid.
    public var isRefused: Bool {
        let count = poppler.components(separatedBy: "Signature is Valid.").count - 1
        let isWhole = poppler.contains("Total document signed")
        return (signatures.isEmpty || signatures.contains { !$0.good })
            && (count < max(signatures.count, 1) || !isWhole)
    }

    /// - Parameters:
    ///   - anchor: A PEM file.
    ///   - takesStore: True if pyHanko must know for each certificate that it is not revoked, from the document's
    ///     security store alone.
    public static func of(_ octets: [UInt8], anchor: String, takesStore: Bool = false) async throws -> PDFOracle {
        struct Report: Decodable {
            let signatures: [Signature]?
            let error: String?
        }
        let scratch = try ScratchDirectory()
        let path = try scratch.write(octets, to: "document.pdf")
        let now = Int(Date().timeIntervalSince1970)
        let output = try await TestPython.run(
            "pdf/oracle.py", [scratch.path, anchor, "\(now)"] + (takesStore ? ["store"] : []))
        guard let report = try JSONDecoder().decode([String: Report].self, from: Data(output.utf8))["document"] else {
            throw HarnessError("oracle.py says nothing of the document: \(output)")
        }
        // It looks up whom to trust in Firefox's profile; the signatures are all that counts here.
        let poppler = try await RunningProgram.run("/usr/bin/pdfsig", ["-nocert", path], asRoot: true)
        return PDFOracle(
            signatures: report.signatures ?? [], error: report.error, poppler: poppler.output + poppler.error)
    }
}

/// The statements of xmlsec1 and signxml about a signed XML document.
public enum XMLOracle {
    /// - Parameters:
    ///   - anchor: A PEM file with the only trust anchor.
    ///   - certificate: A PEM file with the signer's certificate.
    public static func isValid(_ octets: [UInt8], anchor: String, certificate: String, isXAdES: Bool) async throws -> (
        xmlsec: Bool, signxml: Bool
    ) {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(octets, to: isXAdES ? "document.xades.xml" : "document.xml")
        let xmlsec = try await RunningProgram.run(
            "/usr/bin/xmlsec1",
            [
                "--verify", "--trusted-pem", anchor, "--id-attr:Id",
                "http://uri.etsi.org/01903/v1.3.2#:SignedProperties", path,
            ], asRoot: true)
        let output = try await TestPython.run("python/xml_oracle.py", [certificate, scratch.path])
        return (xmlsec.status == 0, output.split(separator: "\t").dropFirst().first?.hasPrefix("valid") == true)
    }
}

extension OpenSSL {
    /// Verifies a CMS over a file; status 0 says that signature and chain are good.
    /// - Parameter content: nil where the CMS encloses it.
    public static func verify(
        cms: [UInt8], content: [UInt8]?, anchor: String
    ) async throws -> (status: Int32, content: [UInt8]) {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(cms, to: "signature.der")
        let beside = try content.map { ["-content", try scratch.write($0, to: "content")] } ?? []
        let run = try await RunningProgram.run(
            "/usr/bin/openssl",
            ["cms", "-verify", "-binary", "-inform", "DER", "-in", path, "-CAfile", anchor, "-purpose", "any"] + beside
                + ["-out", scratch.file("verified")], asRoot: true)
        return (run.status, run.status == 0 ? try TestMaterial.octets(scratch.file("verified")) : [])
    }
}
