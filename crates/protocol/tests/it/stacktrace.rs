//! Textual traces of every language, read from `tests/fixtures/traces`.

#![cfg(test)]

use bugle_protocol::stacktrace::{Language, ParsedException, detect, parse_text};
use std::path::PathBuf;

/// The text of a fixture.
pub fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/traces").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(name: &str, language: Language) -> Vec<ParsedException> {
    let text = fixture(name);
    assert_eq!(detect(&text, None), Some(language), "{name}");
    parse_text(&text, None)
}

/// `function file:line:column`, a leading `+` for the app's own.
fn frames(exception: &ParsedException) -> Vec<String> {
    let number = |n: Option<u32>| n.map(|n| format!(":{n}")).unwrap_or_default();
    exception
        .frames
        .iter()
        .map(|frame| {
            let module = frame.module.as_ref().map(|module| format!("{module}.")).unwrap_or_default();
            format!(
                "{}{module}{} {}{}{}",
                if frame.in_app == Some(true) { "+" } else { "" },
                frame.function.as_deref().unwrap_or("?"),
                frame.filename.as_deref().unwrap_or("?"),
                number(frame.lineno),
                number(frame.colno)
            )
        })
        .collect()
}

fn names(chain: &[ParsedException]) -> Vec<(Option<&str>, Option<&str>, Option<&str>)> {
    chain.iter().map(|e| (e.kind.as_deref(), e.value.as_deref(), e.source)).collect()
}

#[test]
fn java_with_causes_and_suppressed() {
    let chain = read("java.txt", Language::Java);
    assert_eq!(
        names(&chain),
        [
            (Some("IllegalStateException"), Some("close: failed"), Some("suppressed")),
            (Some("IllegalArgumentException"), Some("low: bad\nsecond line"), Some("cause")),
            (Some("RuntimeException"), Some("mid failed"), None),
        ]
    );
    assert_eq!(chain[2].module.as_deref(), Some("java.lang"));
    assert_eq!(
        frames(&chain[1]),
        [
            "java.lang.Thread.run Thread.java:840",
            "+T.lambda$main$1 T.java:6",
            "+T.mid T.java:5",
            "+T.low T.java:4",
            "java.lang.Iterable.forEach Iterable.java:75",
            "+T.lambda$low$0 T.java:4",
        ]
    );
}

#[test]
fn android_from_logcat() {
    let chain = read("android.txt", Language::Java);
    assert_eq!(names(&chain)[0].0, Some("NullPointerException"));
    assert_eq!(
        frames(&chain[0]),
        [
            "+a.b.c ?:8",
            "java.lang.reflect.Method.invoke ?",
            "android.view.View.performClick View.java:7448",
            "+com.example.shop.CartFragment.onClick CartFragment.kt:88",
        ]
    );
}

#[test]
fn php_pairs_places_with_the_functions_they_lie_in() {
    let chain = read("php.txt", Language::Php);
    assert_eq!(
        names(&chain),
        [
            (Some("RuntimeException"), Some("no stock in bin\nsecond (line): yes"), Some("previous")),
            (Some("LogicException"), Some("outer"), None),
        ]
    );
    assert_eq!(
        frames(&chain[0]),
        [
            "? /srv/shop/vendor/acme/run.php(5) : eval()'d code:1",
            "+App\\Svc\\Cart::go /srv/shop/app (old)/Cart.php:4",
            "+App\\Svc\\Cart::add /srv/shop/app/Cart.php:3",
            "array_map [internal]",
            "+App\\Svc\\Cart::App\\Svc\\{closure} /srv/shop/app/Cart.php:3",
        ]
    );
    assert_eq!(
        frames(&chain[1]),
        ["+? /srv/shop/public/index.php:5", "+App\\Svc\\Cart::go /srv/shop/app/Cart.php:4"]
    );
}

#[test]
fn php_without_a_header() {
    let chain = read("php-list.txt", Language::Php);
    assert_eq!(
        frames(&chain[0]),
        [
            "? [internal]",
            "App\\Http\\Controllers\\CartController::{closure} /srv/shop/vendor/laravel/framework/src/Illuminate/Routing/Controller.php:54",
            "+App\\Http\\Controllers\\CartController::add /srv/shop/app/Http/Controllers/CartController.php:41",
            "App\\Services\\Stock::reserve ?",
        ]
    );
}

#[test]
fn laravel_log_prints_the_outermost_first() {
    let chain = read("laravel-log.txt", Language::Php);
    assert_eq!(names(&chain)[0], (Some("RuntimeException"), Some("no stock"), Some("previous")));
    assert_eq!(names(&chain)[1].1, Some("outer"));
    assert_eq!(chain[0].frames.last().and_then(|frame| frame.lineno), Some(9));
}

#[test]
fn node_with_a_cause() {
    let chain = read("node.txt", Language::JavaScript);
    assert_eq!(
        names(&chain),
        [
            (Some("RangeError"), Some("inner boom"), Some("cause")),
            (Some("TypeError"), Some("x is\nbroken"), None)
        ]
    );
    assert_eq!(
        frames(&chain[1]),
        [
            "? node:internal/main/run_main_module:17:47",
            "+? /srv/shop/main.mjs:5:7",
            "Array.map <anonymous>",
            "+ev /srv/shop/ev.mjs:4:7",
            "new Cart /srv/shop/node_modules/cart (copy)/index.js:5:7",
            "+Cart.go /srv/shop/cart.mjs:2:105",
            "Promise.all ?",
            "+inner /srv/shop/cart.mjs:1:43",
        ]
    );
}

#[test]
fn chrome_firefox_and_safari() {
    let chrome = read("chrome.txt", Language::JavaScript);
    assert_eq!(chrome[0].value.as_deref(), Some("Cannot read properties of undefined (reading 'price')"));
    let crash = chrome[0].frames.last().unwrap();
    assert_eq!(crash.abs_path.as_deref(), Some("https://shop.example/static/js/main.4f2c.js"));
    assert_eq!(frames(&chrome[0])[0], "HTMLButtonElement.<anonymous> /npm/jquery@3.6/dist/jquery.js:1:2");
    let firefox = read("firefox.txt", Language::JavaScript);
    assert_eq!(
        frames(&firefox[0]),
        [
            "+? /a.js:5",
            "later /@scope/pkg@1.2.0/index.js:3:4",
            "+? https://shop.example/:10:3",
            "+submit /static/js/main.4f2c.js:2:1200",
            "+total /static/js/main.4f2c.js:2:48123",
        ]
    );
    let safari = read("safari.txt", Language::JavaScript);
    assert_eq!(
        frames(&safari[0]),
        [
            "+global code https://shop.example/:10:3",
            "? [native code]",
            "? /react@18/umd/react.js:5:6",
            "forEach [native code]",
            "+total /static/js/main.4f2c.js:2:48123",
        ]
    );
}

#[test]
fn dart_of_the_vm_the_web_and_a_release() {
    let vm = read("dart.txt", Language::Dart);
    assert_eq!(names(&vm), [(Some("FormatException"), Some("Unexpected character (at character 1)"), None)]);
    assert_eq!(
        frames(&vm[0]),
        [
            "_rootRun dart:async/zone.dart:1428:13",
            "+main.<anonymous closure> /home/dev/shop/lib/main.dart:3:1",
            "State.setState src/widgets/framework.dart:1130:30",
            "+new Cart.fromJson src/cart.dart:40:9",
            "+Cart.total src/cart.dart:12:5",
        ]
    );
    assert_eq!(vm[0].frames[4].package.as_deref(), Some("shop"));
    let web = read("dart-web.txt", Language::Dart);
    assert_eq!(frames(&web[0])[3], "+Cart.total src/cart.dart:12:5");
    assert_eq!(frames(&web[0])[1], "+new main.Cart /main.dart.js:4123:18");
    let release = read("dart-release.txt", Language::Dart);
    assert_eq!(release[0].frames.len(), 2);
    assert_eq!(release[0].frames[1].other["instruction_addr"], "0x0000007d1a2b3c");
}

#[test]
fn python_with_a_direct_cause() {
    let chain = read("python.txt", Language::Python);
    assert_eq!(
        names(&chain),
        [(Some("KeyError"), Some("'k'"), Some("__cause__")), (Some("CardError"), Some("bad\nsecond"), None)]
    );
    assert_eq!(chain[1].module.as_deref(), Some("shop.payments"));
    assert_eq!(chain[0].frames[1].context_line.as_deref(), Some("return f(n-1) if n else {}['k']"));
    assert_eq!(
        frames(&chain[1]),
        [
            "_get_response /usr/lib/python3.12/site-packages/django/core/handlers/base.py:197",
            "+g /srv/shop/cart.py:5"
        ]
    );
}

#[test]
fn go_takes_the_goroutine_that_panicked() {
    let chain = read("go.txt", Language::Go);
    assert_eq!(
        names(&chain),
        [(Some("panic"), Some("runtime error: index out of range [5] with length 3"), None)]
    );
    assert_eq!(
        frames(&chain[0]),
        [
            "+main.main /srv/shop/main.go:8",
            "+main.main.func1 /srv/shop/main.go:9",
            "+github.com/acme/shop/cart.(*Cart).Total /srv/shop/cart/cart.go:12",
            "panic /usr/local/go/src/runtime/panic.go:770",
        ]
    );
}

#[test]
fn ruby_with_a_cause() {
    let chain = read("ruby.txt", Language::Ruby);
    assert_eq!(
        names(&chain),
        [
            (Some("KeyError"), Some("nothing there"), Some("cause")),
            (Some("Shop::PriceMissing"), Some("no price (for this)"), None)
        ]
    );
    assert_eq!(
        frames(&chain[1]),
        [
            "+<main> app/main.rb:3",
            "block in call /usr/lib/ruby/gems/3.4.0/gems/rack-3.1/lib/rack.rb:7",
            "+Cart#total app/models/cart.rb:12"
        ]
    );
}

#[test]
fn dotnet_with_an_inner_exception() {
    let chain = read("dotnet.txt", Language::DotNet);
    assert_eq!(
        names(&chain),
        [
            (
                Some("System.ArgumentNullException"),
                Some("Value cannot be null. (Parameter 'name')"),
                Some("InnerException")
            ),
            (Some("System.InvalidOperationException"), Some("Cart failed"), None)
        ]
    );
    assert_eq!(
        frames(&chain[0]),
        ["+Shop.Cart.AddAsync C:\\src\\shop\\Cart.cs:20", "+Shop.Stock.Take C:\\src\\shop\\Stock.cs:7"]
    );
    assert_eq!(frames(&chain[1])[2], "+Shop.Cart..ctor ?");
}
