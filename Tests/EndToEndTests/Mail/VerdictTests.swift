import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Verdicts about foreign signed mail", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
    struct Verdicts {
        /// The mails of the corpora that share a trust anchor and a clock.
        struct Group: Sendable, CustomTestStringConvertible {
            let anchor: String?
            let time: String
            /// True if the server accepts weak digests and keys, as all did when some of the mails were made.
            let allowsWeak: Bool
            var cases: [Case] = []
            var testDescription: String {
                "\(anchor ?? "no anchor") at \(time)\(allowsWeak ? ", weak ones allowed" : ""): \(cases.count) mails"
            }
        }

        struct Case: Sendable {
            let path: String
            let recipient: String
            let expected: String
        }

        static let groups: [Group] = {
            guard let shared = TestMaterial.shared else { return [] }
            var groups: [String: Group] = [:]
            var number = 0
            for folder in ["smime-good", "smime-identity", "smime-rfc4134"] {
                let place = shared + "/corpora/" + folder
                for row in (try? TestMaterial.table(place + "/expected.tsv")) ?? [] {
                    guard let file = row["file"], file.hasSuffix(".eml"),
                        let anchor = row["trust_anchor"]?.split(separator: " ").first,
                        let time = row["verification_time"]
                    else { continue }
                    let path = anchor == "none" || anchor == "-" ? nil : place + "/" + anchor
                    number += 1
                    for (column, allowsWeak) in [("expected", false), ("expected_weak_ok", true)] {
                        guard let expected = row[column] else { continue }
                        let empty = Group(
                            anchor: path, time: time == "-" ? "2026-06-01T00:00:00Z" : time, allowsWeak: allowsWeak)
                        groups["\(path ?? "") \(time) \(allowsWeak)", default: empty].cases
                            .append(
                                Case(path: place + "/" + file, recipient: "r\(number)@example.test", expected: expected)
                            )
                    }
                }
            }
            return groups.values.sorted { $0.testDescription < $1.testDescription }
        }()

        /// A server whose default verification profile has one anchor and one clock.
        private func server(_ group: Group, in scratch: ScratchDirectory) async throws -> DSSFixture {
            var profile = "<VerificationTime>\(group.time)</VerificationTime>"
            for (element, source) in [("Anchor", group.anchor), ("CRL", crl(group))] {
                guard let source else { continue }
                let copy = scratch.file(element + ".pem")
                if source.hasSuffix(".crl") {
                    let made = try await RunningProgram.run(
                        "/usr/bin/openssl", ["crl", "-inform", "DER", "-in", source, "-out", copy], asRoot: true)
                    #expect(made.status == 0, "\(made)")
                } else {
                    try scratch.write(try TestMaterial.octets(source), to: element + ".pem")
                }
                try SpoolFixture.own(copy)
                profile = "<\(element)>\(copy)</\(element)>" + profile
            }
            let text = """
                <DSS><Listen address="127.0.0.1" port="0"/>
                <VerificationProfile id="corpus" default="true" allowWeak="\(group.allowsWeak)" \
                revocation="\(crl(group) == nil ? "none" : "present")">\(profile)</VerificationProfile>
                <Client id="samples_test_client"><Profile ref="corpus"/></Client></DSS>
                """
            let path = try scratch.write(Array(text.utf8), to: "dss.xml")
            try SpoolFixture.own(path)
            return try await DSSFixture(configuration: path)
        }

        private func crl(_ group: Group) -> String? {
            guard let anchor = group.anchor, anchor.hasSuffix("validator.root.crt") else { return nil }
            return URL(fileURLWithPath: anchor).deletingLastPathComponent().path + "/validator.revoked.crl"
        }

        @Test("spool and embedded server agree with the corpora", arguments: groups)
        func verdicts(_ group: Group) async throws {
            let scratch = try ScratchDirectory()
            try SpoolFixture.own(scratch.path)
            let server = try await server(group, in: scratch)
            var configuration = SESXML(servers: [server.address])
            configuration.incoming = SESXML.verify()
            configuration.emailErrorAction = "EMAIL_TO_RECIPIENTS"
            configuration.notTrustedAction = "EMAIL_TO_RECIPIENTS"
            let fixture = try await SpoolFixture(configuration)
            for given in group.cases {
                try await fixture.drop(
                    try TestMaterial.octets(given.path), to: .incoming, from: MailSamples.outsider,
                    recipients: [given.recipient])
            }
            try await fixture.process()
            try await server.stop()
            let delivered = try fixture.files(in: "delivered")
            for given in group.cases {
                let file = try #require(
                    delivered.first { $0.recipients == [given.recipient] }, "\(given.path)")
                let field = file.header("Authentication-Results").first { $0.hasPrefix("ses.example.test") } ?? ""
                let verdict = Self.verdict(field)
                let mayBeTrusted =
                    given.expected == "trusted" || (given.expected == "no fixed verdict" && group.allowsWeak)
                #expect(verdict != "trusted" || mayBeTrusted, "false trust: \(given.path)")
                if given.expected != "no fixed verdict" {
                    #expect(verdict == given.expected, "\(given.path): \(field)")
                }
            }
        }

        private static func verdict(_ field: String) -> String {
            guard let match = field.firstMatch(of: /smime=(\w+)/) else { return "no result" }
            return switch match.1 {
            case "pass": "trusted"
            case "fail", "policy": "not trusted"
            case "neutral", "temperror": "indeterminate"
            case "none": "not signed"
            default: String(match.1)
            }
        }
    }
}
