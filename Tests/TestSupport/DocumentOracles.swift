import Foundation

/// The Python of the test set-up, which has pyHanko and signxml.
public enum TestPython {
    /// `SES_TEST_PYTHON`, or the one that `scripts/setup --test` makes.
    public static let path =
        ProcessInfo.processInfo.environment["SES_TEST_PYTHON"] ?? TestMaterial.project + "/.build/python/bin/python3"

    /// Runs a script of `Tests/Fixtures/python`.
    public static func run(_ script: String, _ arguments: [String]) async throws -> String {
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw HarnessError("there is no \(path); run scripts/setup --test, or name a Python in SES_TEST_PYTHON")
        }
        let file = TestMaterial.fixtures + "/python/" + script
        let run = try await RunningProgram.run(path, [file] + arguments, asRoot: true)
        guard run.status == 0 else { throw HarnessError("\(script): \(run)") }
        return run.output
    }
}

/// What pyHanko and poppler say of a signed PDF.
public struct PDFOracle: Sendable, CustomStringConvertible {
    public struct Signature: Decodable, Sendable {
        public let field: String?
        /// Intact, trusted, and followed by nothing that pyHanko would not allow.
        public let valid: Bool
        public let trouble: String?
        public let coverage: String?
        public let reason: String?
        public let location: String?
        public let contact: String?
        public let timestamped: Bool?
    }

    public let signatures: [Signature]
    /// Why pyHanko cannot read the file.
    public let error: String?
    /// What `pdfsig` prints.
    public let poppler: String
    public var description: String { "\(error ?? "") \(signatures)\n\(poppler)" }

    /// Whether both find at least one signature, and nothing against any.
    public var isValid: Bool {
        let count = poppler.components(separatedBy: "Signature is Valid.").count - 1
        return !signatures.isEmpty && signatures.allSatisfy(\.valid) && count == signatures.count
    }

    /// Whether neither takes every signature for good.
    public var isRefused: Bool {
        let count = poppler.components(separatedBy: "Signature is Valid.").count - 1
        let isWhole = poppler.contains("Total document signed")
        return (signatures.isEmpty || signatures.contains { !$0.valid })
            && (count < max(signatures.count, 1) || !isWhole)
    }

    /// - Parameter anchor: A PEM file.
    public static func of(_ octets: [UInt8], anchor: String) async throws -> PDFOracle {
        struct Report: Decodable {
            let signatures: [Signature]?
            let error: String?
        }
        let scratch = try ScratchDirectory()
        let path = try scratch.write(octets, to: "document.pdf")
        let output = try await TestPython.run("pdf_oracle.py", [anchor, path])
        let report = try JSONDecoder().decode(Report.self, from: Data(output.utf8))
        // It looks up whom to trust in Firefox's profile; the signatures are all that counts here.
        let poppler = try await RunningProgram.run("/usr/bin/pdfsig", ["-nocert", path], asRoot: true)
        return PDFOracle(
            signatures: report.signatures ?? [], error: report.error, poppler: poppler.output + poppler.error)
    }
}

/// What xmlsec1 and signxml say of a signed XML document.
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
        let output = try await TestPython.run("xml_oracle.py", [certificate, scratch.path])
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
