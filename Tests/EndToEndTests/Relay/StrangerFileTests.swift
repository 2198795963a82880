import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    @Suite("ses-relay and files of foreign names")
    struct StrangerFiles {
        private let message =
            "Return-Path: <a@example.test>\nEnvelope-To: b@x.test, hidden@x.test\nFrom: a@example.test\nSubject: Hello\n\nbody\n"

        private func place(_ fixture: RelayFixture, _ name: String) throws {
            let path = fixture.spool + "/delivered/tmp/" + name
            try Data(message.utf8).write(to: URL(fileURLWithPath: path))
            try SpoolFixture.own(path)
            guard rename(path, fixture.spool + "/delivered/new/" + name) == 0 else { throw HarnessError("\(errno)") }
        }

        @Test("once waits until such a file lies still, sends it once, and shows nobody its trace fields")
        func once() async throws {
            let server = try ScriptedMailServer()
            let fixture = try await RelayFixture(RelayFixture.gateway(server.port))
            try place(fixture, "copy of a mail.eml")
            #expect(try await fixture.once().status == 0)
            let mail = try #require(server.mails.first)
            #expect(mail.recipients == ["b", "hidden"] && mail.mailLine.contains("<a@example.test>"))
            #expect(!mail.text.contains("Envelope-To") && !mail.text.contains("Return-Path"))
            #expect(mail.text.contains("Subject: Hello"))
            #expect(try await fixture.once().status == 0)
            #expect(server.mails.count == 1)
            #expect(try fixture.counts().isEmpty)
        }

        @Test(
            "killed again and again, a running relay sends it once, or announces each repeat", .timeLimit(.minutes(3)))
        func killed() async throws {
            let server = try ScriptedMailServer()
            let fixture = try await RelayFixture(RelayFixture.gateway(server.port))
            let count = 12
            for number in 0..<count {
                let daemon = try await fixture.start()
                try place(fixture, "copy \(number)")
                // The claim is one rename; what follows is under way when the relay is killed.
                try await eventually("it is claimed") { try fixture.names(in: "delivered/new").isEmpty ? () : nil }
                try await daemon.crash()
            }
            try await fixture.toEnd()
            let announced = try fixture.possibleRepeats().values.reduce(0, +)
            #expect(
                server.mails.count >= count && server.mails.count <= count + announced,
                "\(server.mails.count), \(announced)")
        }
    }
}
