import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    @Suite(
        "ses-relay without a gateway: mail exchangers by DNS",
        .disabled(
            if: LoopbackPlace.obstacleToMailExchangers != nil,
            Comment(rawValue: LoopbackPlace.obstacleToMailExchangers ?? "")))
    struct MailExchangers {
        private let message = "From: a@sender.test\nSubject: Hello\n\nbody\n"
        /// Nobody listens there.
        private let dead = LoopbackPlace.mailExchanger()

        /// A server on port 25 of an address of its own.
        private struct Exchanger {
            let place = LoopbackPlace.mailExchanger()
            let server: ScriptedMailServer

            init() throws { server = try ScriptedMailServer(at: place) }
        }

        private func relay(asking port: Int, _ more: String = "") async throws -> RelayFixture {
            try await RelayFixture(
                "<dnsserver><servers><server>127.0.0.1:\(port)</server></servers></dnsserver>"
                    + "<delayTime>1 hour</delayTime><Timeout connect=\"10\" reply=\"10\"/>" + more)
        }

        /// The lines of the journal that tell of an event.
        private func told(_ event: String, _ fixture: RelayFixture) throws -> [String] {
            try fixture.journal().filter { $0.contains("\"ev\":\"\(event)\"") }
        }

        @Test("the best exchanger is tried first, and the next if it refuses the connection")
        func preference() async throws {
            let (second, third) = (try Exchanger(), try Exchanger())
            let names = try await DNSFixture([
                "mx-host=x.test,third.x.test,30", "mx-host=x.test,first.x.test,10", "mx-host=x.test,second.x.test,20",
                "host-record=first.x.test,\(dead.address)", "host-record=second.x.test,\(second.place.address)",
                "host-record=third.x.test,\(third.place.address)",
            ])
            let fixture = try await relay(asking: names.port)
            try fixture.put(message, to: ["b@x.test", "c@X.test"])
            #expect(try await fixture.once().status == 0)
            #expect(second.server.mails.map(\.recipients) == [["b", "c"]])
            #expect(third.server.connections == 0)
            #expect(try fixture.counts().isEmpty)
            #expect(try told("sent", fixture).count == 1)
        }

        @Test("the best exchanger that answers gets the mail, and no other is asked")
        func best() async throws {
            let (first, second) = (try Exchanger(), try Exchanger())
            let names = try await DNSFixture([
                "mx-host=x.test,second.x.test,20", "mx-host=x.test,first.x.test,10",
                "host-record=first.x.test,\(first.place.address)", "host-record=second.x.test,\(second.place.address)",
            ])
            let fixture = try await relay(asking: names.port)
            for number in 0..<5 { try fixture.put(message, to: ["n\(number)@x.test"]) }
            #expect(try await fixture.once().status == 0)
            #expect(first.server.mails.count == 5 && second.server.connections == 0)
        }

        @Test("a domain without an MX record takes its mail itself")
        func addressAlone() async throws {
            let host = try Exchanger()
            let names = try await DNSFixture(["host-record=plain.test,\(host.place.address)"])
            let fixture = try await relay(asking: names.port)
            try fixture.put(message, to: ["b@plain.test"])
            #expect(try await fixture.once().status == 0)
            #expect(host.server.mails.map(\.recipients) == [["b"]])
            #expect(try fixture.counts().isEmpty)
        }

        @Test(
            "a domain that takes no mail, or does not exist, is reported to the sender at once, at the sender's own exchanger",
            arguments: [("null.test", "5.1.10"), ("nowhere.test", "5.1.2")])
        func refused(_ domain: String, _ status: String) async throws {
            let home = try Exchanger()
            let names = try await DNSFixture([
                "mx-host=null.test,.,0", "mx-host=sender.test,mx.sender.test,10",
                "host-record=mx.sender.test,\(home.place.address)",
            ])
            let fixture = try await relay(asking: names.port)
            try fixture.put(message, from: "a@sender.test", to: ["b@\(domain)"])
            #expect(try await fixture.once().status == 0)
            #expect(try fixture.counts() == ["failed": 1])
            let report = try #require(home.server.mails.first)
            #expect(home.server.mails.count == 1 && report.recipients == ["a"])
            #expect(report.mailLine.hasPrefix("MAIL FROM:<>"))
            #expect(
                report.text.contains("Final-Recipient: rfc822; b@\(domain)\r\nAction: failed\r\nStatus: \(status)\r\n"))
        }

        @Test("a domain whose exchangers are all down waits, and holds up no other of the same message")
        func allDown() async throws {
            let host = try Exchanger()
            let names = try await DNSFixture([
                "mx-host=down.test,mx.down.test,10", "host-record=mx.down.test,\(dead.address)",
                "mx-host=up.test,mx.up.test,10", "host-record=mx.up.test,\(host.place.address)",
            ])
            let fixture = try await relay(asking: names.port)
            try fixture.put(message, to: ["b@down.test", "c@up.test"])
            #expect(try await fixture.once().status == 0)
            #expect(host.server.mails.map(\.recipients) == [["c"]])
            #expect(try fixture.counts() == ["relay/deferred": 1])
            let waiting = try told("deferred", fixture)
            #expect(waiting.contains { $0.contains("b@down.test") && $0.contains("connecting") }, "\(waiting)")
            // No server was reached, so it cost no attempt.
            #expect(try SpoolFile.part("N", of: fixture.names(in: "relay/deferred")[0]) == "0")
        }

        @Test("name servers that do not answer defer it, with the reason", .timeLimit(.minutes(2)))
        func silentNames() async throws {
            let silent = try SilentDNS()
            let fixture = try await relay(asking: silent.port)
            try fixture.put(message, to: ["b@x.test"])
            #expect(try await fixture.once().status == 0)
            #expect(try fixture.counts() == ["relay/deferred": 1])
            let waiting = try told("deferred", fixture)
            #expect(
                waiting.contains {
                    $0.contains("b@x.test") && $0.contains("the mail exchangers of x.test are not known")
                },
                "\(waiting)")
        }
    }
}
