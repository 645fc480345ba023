use super::{Family, file, function, is_minified, module};

#[track_caller]
fn functions(family: Family, cases: &[(&str, Option<&str>)]) {
    for (input, expected) in cases {
        assert_eq!(function(input, family).as_deref(), *expected, "of {input:?}");
    }
}

#[test]
fn java() {
    functions(
        Family::Jvm,
        &[
            ("lambda$pay$3", Some("lambda$pay$")),
            ("pay", Some("pay")),
            ("access$000", Some("access$")),
            ("$anonfun$charge$2", Some("$anonfun$charge$")),
        ],
    );
    for (input, expected) in [
        ("com.shop.Cart$$EnhancerBySpringCGLIB$$1f2e3d", "com.shop.Cart$$EnhancerBySpringCGLIB$$"),
        ("com.shop.Cart$$SpringCGLIB$$0", "com.shop.Cart$$SpringCGLIB$$"),
        ("com.sun.proxy.$Proxy123", "com.sun.proxy.$Proxy"),
        ("jdk.internal.reflect.GeneratedMethodAccessor17", "jdk.internal.reflect.GeneratedMethodAccessor"),
        ("com.shop.Cart$$Lambda$14/0x0000000800c8", "com.shop.Cart$$Lambda$"),
        ("com.shop.Cart$$Lambda/0x0000000800c8", "com.shop.Cart$$Lambda"),
        ("com.shop.Cart$1", "com.shop.Cart$"),
        ("shop.core$fn__1234$inner__55", "shop.core$fn__$inner__"),
        ("com.shop.Item$HibernateProxy$aB3x", "com.shop.Item$HibernateProxy$"),
        ("com.shop.Item_$$_jvst6e8_3", "com.shop.Item_$$_jvst"),
        ("com.shop.H2Store", "com.shop.H2Store"),
        ("com.shop.Level3", "com.shop.Level3"),
    ] {
        assert_eq!(module(input, Family::Jvm).as_deref(), Some(expected), "of {input:?}");
    }
}

#[test]
fn rust_and_c() {
    functions(
        Family::Native,
        &[
            ("shop::pay::h0123456789abcdef", Some("shop::pay")),
            ("shop::pay::{{closure}}", Some("shop::pay::{closure}")),
            ("shop::pay::{closure#12}", Some("shop::pay::{closure}")),
            ("core::ops::FnOnce::call_once::<fn() -> i32, ()>", Some("core::ops::FnOnce::call_once")),
            ("<shop::Cart<T> as shop::Add>::add", Some("<shop::Cart as shop::Add>::add")),
            ("<&dyn Fn(), Output = i32> + Sync>::call", Some("<&dyn Fn(), Output = i32> + Sync>::call")),
            ("std::vector<int>::push_back(int const&)", Some("std::vector::push_back")),
            ("(anonymous namespace)::run(int)", Some("(anonymous namespace)::run")),
            ("-[Cart addItem:]", Some("-[Cart addItem:]")),
            ("closure #1 in Cart.add(item:)", Some("closure in Cart.add")),
            ("run.cold", Some("run")),
            ("<unknown>", None),
            ("at /rustc/59807616e1fa/library/std/src/panic.rs:359:14", None),
            ("Foo::operator<(Foo)", Some("Foo::operator<(Foo)")),
        ],
    );
}

#[test]
fn scripts() {
    functions(
        Family::JavaScript,
        &[
            ("Object.<anonymous>", None),
            ("?", None),
            ("async Cart.add [as onClick]", Some("add")),
            ("new Cart", Some("Cart")),
            ("render/<", Some("render")),
            ("format$1", Some("format")),
            ("Repo.get prop [as prop]", Some("prop")),
        ],
    );
    functions(
        Family::Php,
        &[
            ("class@anonymous\0/srv/a.php:12$0::run", Some("class@anonymous::run")),
            ("{closure:App\\Cart::add():12}", Some("{closure}")),
            ("App\\Cart::App\\{closure}", Some("App\\Cart::App\\{closure}")),
        ],
    );
    functions(
        Family::Ruby,
        &[
            ("block (2 levels) in add", Some("block in add")),
            ("block in Cart#add", Some("block in add")),
            ("Cart.find", Some("find")),
            ("<class:Cart>", Some("<class:Cart>")),
            ("_app_views_orders_show_html_erb___2409734_70214", Some("_app_views_orders_show_html_erb")),
        ],
    );
}

#[test]
fn go_dotnet_elixir() {
    functions(
        Family::Go,
        &[
            ("(*Server).handle.func1.2", Some("(*Server).handle.func")),
            ("Map[...]", Some("Map")),
            ("(*Server).handle-fm", Some("(*Server).handle")),
        ],
    );
    functions(
        Family::Dotnet,
        &[
            ("<Pay>b__12_0", Some("<Pay>b__")),
            ("<PayAsync>d__5.MoveNext", Some("<PayAsync>d__.MoveNext")),
            ("<>c__DisplayClass3_0.<Pay>b__1", Some("<>c__DisplayClass.<Pay>b__")),
            ("lambda_method17", Some("lambda_method")),
        ],
    );
    functions(Family::Elixir, &[("-pay/2-fun-0-", Some("-pay/2-fun--"))]);
}

#[test]
fn minified_names() {
    assert!(is_minified("hw", true, false));
    assert!(is_minified("hee", true, true));
    assert!(!is_minified("get", true, false));
    assert!(!is_minified("onload", true, true));
    assert!(!is_minified("cb", false, false));
}

#[test]
fn file_names() {
    for (path, expected) in [
        ("https://shop.example/static/app.3f2a1b.js?v=1", "app.*.js"),
        ("/static/js/341.a2b3c4d5.chunk.js", "*.chunk.js"),
        ("/assets/index-DiwrgTda.js", "index-*.js"),
        ("/assets/app-settings.js", "app-settings.js"),
        ("jquery-3.6.0.min.js", "jquery-*.min.js"),
        ("C:\\app\\Cart.cs", "cart.cs"),
        ("/views/1c230e284c4da4d59cb812cb918c025b1ed12795.php", "*.php"),
        ("shop/cart.py", "cart.py"),
    ] {
        assert_eq!(file(path, Family::JavaScript).as_deref(), Some(expected), "of {path:?}");
    }
}
