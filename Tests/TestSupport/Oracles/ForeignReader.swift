import Foundation
import Glibc

/// A program that reads mail and was not written here: which parts it shows of a message.
public enum ForeignReader: String, CaseIterable, Sendable {
    /// Python's email package, by its old and its new policy.
    case pythonEmail, pythonEmailModern
    case gmime
    /// MIME::Parser of Perl's MIME::tools.
    case mimeTools
    /// Perl's Email::MIME.
    case emailMIME
    /// Ruby's mail.
    case rubyMail
    /// reformime, the reader of Courier.
    case courier
    /// IMAP's BODYSTRUCTURE and BODY[n], of Dovecot.
    case dovecot

    /// A part that is shown: a text or a file.
    public struct Part: Decodable, Sendable {
        public let type: String
        public let name: String?
        private let content: Data

        /// Without transfer encoding.
        public var octets: [UInt8] { [UInt8](content) }
    }

    /// Copies a script and what it imports: the project may lie where the account that runs it cannot enter.
    public static func copy(_ script: String, into scratch: ScratchDirectory) throws {
        for name in [script] + (script.hasSuffix(".py") ? ["dovecot_session.py"] : []) {
            guard let source = FileManager.default.contents(atPath: TestMaterial.fixtures + "/readers/" + name) else {
                throw HarnessError("there is no Fixtures/readers/\(name)")
            }
            try scratch.write([UInt8](source), to: name)
        }
    }

    /// The parts of each message, in order, in one run for all.
    public func parts(of messages: [[UInt8]]) async throws -> [[Part]] {
        let scratch = try ScratchDirectory()
        if let account = Programs.unprivileged {
            guard chown(scratch.path, account.user, account.group) == 0 else { throw HarnessError("chown: \(errno)") }
        }
        for (index, message) in messages.enumerated() { try scratch.write(message, to: "\(index)") }
        let (program, script, more) = invocation
        try Self.copy(script, into: scratch)
        let run = try await RunningProgram.run(
            program, [scratch.file(script), scratch.path, "\(messages.count)"] + more,
            within: .seconds(600))
        guard run.status == 0 else {
            throw HarnessError("\(script) failed; is all of scripts/setup --test there? \(run)")
        }
        let found = try run.output.split(separator: "\n").map {
            try JSONDecoder().decode([Part].self, from: Data($0.utf8))
        }
        guard found.count == messages.count else {
            throw HarnessError("\(script) read \(found.count) messages: \(run.error)")
        }
        return found
    }

    private var invocation: (program: String, script: String, more: [String]) {
        switch self {
        case .pythonEmail: ("/usr/bin/python3", "python_email.py", [])
        case .pythonEmailModern: ("/usr/bin/python3", "python_email.py", ["MODERN"])
        case .gmime: ("/usr/bin/python3", "gmime.py", [])
        case .mimeTools: ("/usr/bin/perl", "mime_tools.pl", [])
        case .emailMIME: ("/usr/bin/perl", "email_mime.pl", [])
        case .rubyMail: ("/usr/bin/ruby", "ruby_mail.rb", [])
        case .courier: ("/usr/bin/python3", "courier.py", [])
        case .dovecot: ("/usr/bin/python3", "dovecot.py", [])
        }
    }
}
