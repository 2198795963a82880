import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Each routing action for each reason")
    struct Routing {
        enum Action: String, CaseIterable {
            case BLOCK_EMAIL, EMAIL_TO_ADMINISTRATOR, EMAIL_TO_RECIPIENTS, EMAIL_TO_ADMINISTRATOR_AND_RECIPIENTS
            case EMAIL_TO_SENDER, EMAIL_TO_ADMINISTRATOR_AND_SENDER

            /// The folders that hold one file each afterwards, with an internal sender.
            var folders: [String: Int] {
                switch self {
                case .BLOCK_EMAIL: ["blocked/new": 1]
                case .EMAIL_TO_ADMINISTRATOR: ["admin/new": 1, "blocked/new": 1]
                case .EMAIL_TO_RECIPIENTS: ["delivered/new": 1]
                case .EMAIL_TO_SENDER: ["delivered/new": 1, "blocked/new": 1]
                case .EMAIL_TO_ADMINISTRATOR_AND_RECIPIENTS: ["admin/new": 1, "delivered/new": 1]
                case .EMAIL_TO_ADMINISTRATOR_AND_SENDER: ["admin/new": 1, "blocked/new": 1, "delivered/new": 1]
                }
            }

            /// To whom the file in `delivered` goes.
            var recipients: Set<String>? {
                switch self {
                case .BLOCK_EMAIL, .EMAIL_TO_ADMINISTRATOR: nil
                case .EMAIL_TO_RECIPIENTS, .EMAIL_TO_ADMINISTRATOR_AND_RECIPIENTS: [MailSamples.bob]
                case .EMAIL_TO_SENDER, .EMAIL_TO_ADMINISTRATOR_AND_SENDER: [MailSamples.alice]
                }
            }
        }

        enum Reason: CaseIterable { case noMatchOutgoing, noMatchIncoming, notTrusted, indeterminate, error }

        private func settled(_ action: Action, _ reason: Reason, sender: String = MailSamples.alice) async throws
            -> SpoolFixture
        {
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            let unmatched = "<Filter><AND><Subject contains=\"never written\"/></AND></Filter>"
            let message: [UInt8]
            switch reason {
            case .noMatchOutgoing:
                configuration.outgoing = SESXML.sign(alias: Samples.aliceKey, filter: unmatched)
                configuration.signingNoFilterAction = action.rawValue
                message = MailSamples.plain()
            case .noMatchIncoming:
                configuration.incoming = SESXML.verify(filter: unmatched)
                configuration.verificationNoFilterAction = action.rawValue
                message = MailSamples.plain()
            case .notTrusted:
                configuration.incoming = SESXML.verify()
                configuration.notTrustedAction = action.rawValue
                configuration.processing =
                    "<ResponseIndeterminateAction>BLOCK_EMAIL</ResponseIndeterminateAction>"
                message = try await Samples.tampered
            case .indeterminate:
                configuration.incoming = SESXML.verify()
                configuration.notTrustedAction = "BLOCK_EMAIL"
                configuration.processing =
                    "<ResponseIndeterminateAction>\(action.rawValue)</ResponseIndeterminateAction>"
                message = try await Samples.signedByStranger
            case .error:
                configuration.outgoing = SESXML.sign(alias: "no such key")
                configuration.emailErrorAction = action.rawValue
                message = MailSamples.plain()
            }
            let fixture = try await SpoolFixture(configuration)
            let isOutgoing = reason == .noMatchOutgoing || reason == .error
            try await fixture.drop(message, to: isOutgoing ? .outgoing : .incoming, from: sender)
            try await fixture.process()
            return fixture
        }

        @Test("leaves the message exactly where the action says", arguments: Action.allCases, Reason.allCases)
        func action(_ action: Action, _ reason: Reason) async throws {
            let fixture = try await settled(action, reason)
            #expect(try fixture.counts() == action.folders)
            if let recipients = action.recipients {
                #expect(try fixture.onlyFile(in: "delivered").recipients == recipients)
            }
            if action.folders["admin/new"] != nil {
                let notice = try fixture.onlyFile(in: "admin")
                #expect(notice.recipients == ["admin@example.test"])
                #expect(try await PythonReading.of(notice.message).part("message/rfc822") != nil)
            }
        }

        @Test("a mail that could not be signed goes unchanged to the recipients")
        func unsignedByConfiguration() async throws {
            let result = try await settled(.EMAIL_TO_RECIPIENTS, .error).onlyFile(in: "delivered")
            let reading = try await PythonReading.of(result.message)
            #expect(reading.parts.map(\.type) == ["text/plain"])
        }

        @Test("a sender outside gets no content back; the message is kept in blocked")
        func outsideSender() async throws {
            let fixture = try await settled(.EMAIL_TO_SENDER, .notTrusted, sender: MailSamples.outsider)
            #expect(try fixture.counts() == ["delivered/new": 1, "blocked/new": 1])
            let notice = try fixture.onlyFile(in: "delivered")
            #expect(notice.recipients == [MailSamples.outsider])
            #expect(!notice.text.contains("900 euro"))
        }

        @Test("a bounce is never answered; it is kept in blocked")
        func nullSender() async throws {
            let fixture = try await settled(.EMAIL_TO_SENDER, .notTrusted, sender: "<>")
            #expect(try fixture.counts() == ["blocked/new": 1])
        }

        @Test("a message without known recipients goes to the administrator")
        func noRecipients() async throws {
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            let fixture = try await SpoolFixture(configuration)
            try fixture.place(MailSamples.plain(), in: "outgoing/new", named: "1700000000.nobody.test")
            try await fixture.process()
            #expect(try fixture.counts() == ["admin/new": 1, "blocked/new": 1])
        }

        @Test("the trace fields of the mail server are the envelope of a file in new/")
        func traceFields() async throws {
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            let fixture = try await SpoolFixture(configuration)
            let traced =
                Array(
                    "Return-Path: <alice@example.test>\r\nDelivered-To: dora@example.test\r\nReceived: by mx; today\r\n"
                        .utf8) + MailSamples.plain()
            try fixture.place(traced, in: "outgoing/new", named: "1700000000.traced.test")
            try await fixture.process()
            let result = try fixture.onlyFile(in: "delivered")
            #expect(result.recipients == ["dora@example.test"])
            #expect(result.sender == MailSamples.alice)
        }
    }
}
