import CMSSignatures
import Foundation
import Octets
import TestSupport

/// The statements of other implementations about signed documents.
enum XMLOracles {
    /// The names of those that xmlsec1 accepts with `anchor` (a PEM file) as the only anchor.
    static func xmlsec1(_ documents: [String: OctetString], anchor: String) async throws -> Set<String> {
        let scratch = try ScratchDirectory()
        // One process for each document costs more than the verification; a shell takes them all.
        for (name, document) in documents { try scratch.write(document.array, to: name) }
        let script = """
            cd "$1" || exit 3
            for name in *.xml; do
                if /usr/bin/xmlsec1 --verify --trusted-pem "$2" \
                    --id-attr:Id http://uri.etsi.org/01903/v1.3.2#:SignedProperties "$name" >/dev/null 2>&1
                then echo "$name"; fi
            done
            """
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/xmlsec1") else {
            throw HarnessError("no /usr/bin/xmlsec1: install the package xmlsec1")
        }
        let run = try await RunningProgram.run("/bin/sh", ["-c", script, "sh", scratch.path, anchor], asRoot: true)
        guard run.status == 0 else { throw HarnessError("xmlsec1: \(run)") }
        return Set(run.output.split(separator: "\n").map(String.init))
    }

    /// Returns signxml's objection; nil for a document that it accepts with this certificate.
    static func signxml(
        _ documents: [String: OctetString], certificate: OctetString
    ) async throws -> [String: String?] {
        let scratch = try ScratchDirectory()
        let folder = try ScratchDirectory()
        for (name, document) in documents { try folder.write(document.array, to: name) }
        let pem = try scratch.write(Array(Certificate(der: certificate).pem.utf8), to: "certificate.pem")
        let python = TestPython.path
        let run = try await RunningProgram.run(
            python, [TestMaterial.fixtures + "/python/xml_oracle.py", pem, folder.path], asRoot: true)
        guard run.status == 0 else {
            throw HarnessError("signxml is not there for \(python); set SES_TEST_PYTHON to one that has it: \(run)")
        }
        var said: [String: String?] = [:]
        for line in run.output.split(separator: "\n") {
            let fields = line.split(separator: "\t")
            guard fields.count >= 2 else { throw HarnessError("xml_oracle.py: \(line)") }
            said[String(fields[0])] = fields[1] == "valid" ? .some(nil) : fields.dropFirst(2).joined()
        }
        guard said.count == documents.count else { throw HarnessError("xml_oracle.py left documents out: \(run)") }
        return said
    }
}
